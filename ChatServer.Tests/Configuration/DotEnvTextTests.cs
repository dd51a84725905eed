using ChatServer.Configuration;

namespace ChatServer.Tests.Configuration;

public sealed class DotEnvTextTests
{
    [Theory]
    [InlineData("A=b", "b")]
    [InlineData("A = b", "b")]
    [InlineData("  A=b  ", "b")]
    [InlineData("\tA\t=\tb\t", "b")]
    [InlineData("export A=b", "b")]
    [InlineData("export \t A = b", "b")]
    [InlineData("A=", "")]
    [InlineData("A=\"\"", "")]
    [InlineData("A=''", "")]
    [InlineData("A=b c", "b c")]
    [InlineData("A=b # comment", "b")]
    [InlineData("A=b\t# comment", "b")]
    [InlineData("A=b #comment # more", "b")]
    [InlineData("A=b#c", "b#c")]
    [InlineData("A=#c", "#c")]
    [InlineData("A= # comment", "# comment")]
    [InlineData("A=http://h/#c", "http://h/#c")]
    [InlineData("A=b=c", "b=c")]
    [InlineData("A=b\\nc", "b\\nc")]
    [InlineData("A=it's", "it's")]
    [InlineData("A='b # c'", "b # c")]
    [InlineData("A=\"b # c\"", "b # c")]
    [InlineData("A='b' # c", "b")]
    [InlineData("A=\"b\"# c", "b")]
    [InlineData("A=' b '", " b ")]
    [InlineData("A='b\\nc'", "b\\nc")]
    [InlineData("A='b\\'c'", "b'c")]
    [InlineData("A='b\\\\'", "b\\")]
    [InlineData("A='\"'", "\"")]
    [InlineData("A=\"b\\nc\\td\"", "b\nc\td")]
    [InlineData("A=\"b\\\"c\\\\d\"", "b\"c\\d")]
    [InlineData("A=\"b\\$c\\z\"", "b\\$c\\z")]
    [InlineData("A=\"\\a\\b\\f\\r\\v\\'\"", "\a\b\f\r\v'")]
    [InlineData("A=\"b\nc\"", "b\nc")]
    [InlineData("A='b\r\nc'", "b\r\nc")]
    [InlineData("A=$B", "$B")]
    [InlineData("A=${B}", "${B}")]
    [InlineData("A=жö€", "жö€")]
    [InlineData("\uFEFFA=b", "b")]
    [InlineData("A=x\nA=b", "b")]
    [InlineData("# A=x\n\n   # more\nA=b", "b")]
    [InlineData("A=b\r\n", "b")]
    [InlineData("A=b\rB=c", "b")]
    public void Parse_OneSetting_IsReadAsPythonReadsIt(string text, string expected)
    {
        var parsed = DotEnvText.Parse(text);

        parsed.Mistakes.Should().BeEmpty();
        parsed.Settings["A"].Should().Be(expected);
    }

    [Theory]
    [InlineData("A", "is not of the form NAME=value.")]
    [InlineData("A: b", "is not of the form NAME=value.")]
    [InlineData("A B=c", "is not of the form NAME=value.")]
    [InlineData("=b", "is not of the form NAME=value.")]
    [InlineData("export", "is not of the form NAME=value.")]
    [InlineData("export =b", "is not of the form NAME=value.")]
    [InlineData("[section]", "is not of the form NAME=value.")]
    [InlineData("A$=b", "is not of the form NAME=value.")]
    [InlineData("\0", "is not of the form NAME=value.")]
    [InlineData("A=\"b", "the quote is never closed.")]
    [InlineData("A='b", "the quote is never closed.")]
    [InlineData("A='b\\'", "the quote is never closed.")]
    [InlineData("A=\"b\"c", "there is text behind the closing quote.")]
    public void Parse_MalformedLine_IsAMistakeWithItsNumberAndTheRestIsRead(string line, string problem)
    {
        var parsed = DotEnvText.Parse($"X=1\r\n\r\n{line}\nY=2\n");

        parsed.Mistakes.Should().Equal($".env line 3: {problem}");
        parsed.Settings.Should().Equal(new Dictionary<string, string> { ["X"] = "1", ["Y"] = "2" });
    }

    [Theory]
    [InlineData("\n\n\n!")]
    [InlineData("\r\r\r!")]
    [InlineData("\r\n\r\n\r\n!")]
    [InlineData("A='\n\n'\n!")]
    [InlineData("A='\r\n\r\n'\r\n!")]
    [InlineData("A=1 # x\n# y\n\t\n!")]
    public void Parse_AnyLineEnds_AreCounted(string text) =>
        DotEnvText.Parse(text).Mistakes.Should().ContainSingle().Which.Should().StartWith(".env line 4:");

    [Fact]
    public void Parse_Mistakes_DoNotShowTheLine() =>
        DotEnvText.Parse("PASSWORD s3cret\nP='s3cret").Mistakes.Should()
            .HaveCount(2).And.NotContain(line => line.Contains("s3cret", StringComparison.Ordinal));

    [Fact]
    public void Parse_AnyText_EndsAndNeverThrows()
    {
        const string alphabet = "A=\"'\\# \t\r\nexport\0\uFEFF";
        var random = new Random(4711);
        for (var round = 0; round < 20_000; round++)
        {
            var text = new string(random.GetItems<char>(alphabet, random.Next(30)));
            FluentActions.Invoking(() => DotEnvText.Parse(text)).Should().NotThrow();
        }
    }
}
