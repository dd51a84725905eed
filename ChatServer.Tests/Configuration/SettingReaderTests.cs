using ChatServer.Configuration;
using ChatServer.Endpoints;
using ChatServer.Hosting;
using ChatServer.Tests.Configuration.Support;
using Microsoft.Extensions.Configuration;

namespace ChatServer.Tests.Configuration;

public sealed class SettingReaderTests
{
    private enum Mode
    {
        Single,
        Sentinel,
        Cluster,
    }

    [Fact]
    public void Reader_NothingSet_GivesFallbacksWithoutAMistake()
    {
        var reader = TestSettings.Reader();

        reader.Text("A").Should().BeNull();
        reader.Text("A", "b").Should().Be("b");
        reader.Int("A", 5, 1, 9).Should().Be(5);
        reader.Long("A", 5_000_000_000, 1, long.MaxValue).Should().Be(5_000_000_000);
        reader.Seconds("A", 10, 1, 60).Should().Be(TimeSpan.FromSeconds(10));
        reader.Switch("A", fallback: true).Should().BeTrue();
        reader.Choice("A", Mode.Sentinel).Should().Be(Mode.Sentinel);
        reader.List("A").Should().BeEmpty();
        reader.HttpUrl("A").Should().BeNull();
        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Reader_PresentButBlank_CountsAsNotSet()
    {
        var reader = TestSettings.Reader(("A", ""), ("B", "  "));

        reader.Text("A", "x").Should().Be("x");
        reader.Int("B", 5, 1, 9).Should().Be(5);
        reader.Switch("A", fallback: true).Should().BeTrue();
        reader.List("B").Should().BeEmpty();
        reader.HttpUrl("A").Should().BeNull();
        reader.Mistakes.Should().BeEmpty();

        reader.Required("A", "it is needed here").Should().BeEmpty();
        reader.Mistakes.Should().Equal("A: is not set; it is needed here.");
    }

    [Theory]
    [InlineData("1", 1)]
    [InlineData("65535", 65535)]
    [InlineData(" 80 ", 80)]
    public void Int_InRange_IsRead(string value, int expected)
    {
        var reader = TestSettings.Reader(("WS_PORT", value));

        reader.Int("WS_PORT", 8888, 1, 65535).Should().Be(expected);
        reader.Mistakes.Should().BeEmpty();
    }

    [Theory]
    [InlineData("80a")]
    [InlineData("0")]
    [InlineData("-1")]
    [InlineData("65536")]
    [InlineData("8 0")]
    [InlineData("8,000")]
    [InlineData("80.0")]
    [InlineData("1e3")]
    [InlineData("0x50")]
    [InlineData("٨")]
    [InlineData("99999999999999999999")]
    public void Int_NotInRange_IsAMistakeAndTheFallback(string value)
    {
        var reader = TestSettings.Reader(("WS_PORT", value));

        reader.Int("WS_PORT", 8888, 1, 65535).Should().Be(8888);
        reader.Mistakes.Should().Equal($"WS_PORT: \"{value}\" is not a whole number from 1 to 65535.");
    }

    [Fact]
    public void Seconds_Wrong_SaysTheUnit()
    {
        var reader = TestSettings.Reader(("AUTH_TIMEOUT", "10s"));

        reader.Seconds("AUTH_TIMEOUT", 10, 1, 600).Should().Be(TimeSpan.FromSeconds(10));
        reader.Mistakes.Should().Equal("AUTH_TIMEOUT: \"10s\" is not a whole number of seconds from 1 to 600.");
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("True", true)]
    [InlineData("false", false)]
    [InlineData(" FALSE ", false)]
    public void Switch_TrueOrFalse_IsRead(string value, bool expected) =>
        TestSettings.Reader(("S", value)).Switch("S", fallback: !expected).Should().Be(expected);

    [Theory]
    [InlineData("yes")]
    [InlineData("1")]
    [InlineData("on")]
    public void Switch_AnythingElse_IsAMistake(string value)
    {
        var reader = TestSettings.Reader(("S", value));

        reader.Switch("S", fallback: true).Should().BeTrue();
        reader.Mistakes.Should().Equal($"S: \"{value}\" is neither true nor false.");
    }

    [Theory]
    [InlineData("cluster")]
    [InlineData("Cluster")]
    public void Choice_Name_IsRead(string value) =>
        TestSettings.Reader(("REDIS_MODE", value)).Choice("REDIS_MODE", Mode.Single).ToString().Should().Be("Cluster");

    [Theory]
    [InlineData("1")]
    [InlineData("clusters")]
    [InlineData("single,cluster")]
    [InlineData("-1")]
    public void Choice_AnythingElse_IsAMistakeThatNamesTheChoices(string value)
    {
        var reader = TestSettings.Reader(("REDIS_MODE", value));

        reader.Choice("REDIS_MODE", Mode.Single).ToString().Should().Be("Single");
        reader.Mistakes.Should().Equal($"REDIS_MODE: \"{value}\" is none of single, sentinel, cluster.");
    }

    [Fact]
    public void List_Commas_AreSplitAndTrimmed() =>
        TestSettings.Reader(("L", " a ,b,, c,")).List("L").Should().Equal("a", "b", "c");

    [Fact]
    public void List_JsonArray_IsAListToo() =>
        TestSettings.Reader(("L:0", "a"), ("L:1", "b, c")).List("L").Should().Equal("a", "b", "c");

    [Fact]
    public void Text_OfAGroup_IsAMistake()
    {
        var reader = TestSettings.Reader(("A:B", "c"));

        reader.Text("A", "x").Should().Be("x");
        reader.Mistakes.Should().Equal("A: is a group or a list where one value is expected.");
    }

    [Theory]
    [InlineData("http://q.example", "http://q.example/")]
    [InlineData("https://q.example:8443/", "https://q.example:8443/")]
    [InlineData("HTTPS://q.example/api", "https://q.example/api/")]
    [InlineData("http://[::1]:8000/a/b/", "http://[::1]:8000/a/b/")]
    public void HttpUrl_Address_EndsInASlash(string value, string expected)
    {
        var reader = TestSettings.Reader(("Q", value));

        reader.HttpUrl("Q")!.AbsoluteUri.Should().Be(expected);
        reader.Mistakes.Should().BeEmpty();
    }

    [Theory]
    [InlineData("q.example")]
    [InlineData("q.example:8000")]
    [InlineData("/chat/")]
    [InlineData("ftp://q.example/")]
    [InlineData("http://")]
    [InlineData("http:///path")]
    [InlineData("http://q.example/?a=b")]
    [InlineData("http://q.example/#a")]
    [InlineData("http://q.example:99999/")]
    public void HttpUrl_AnythingElse_IsAMistake(string value)
    {
        var reader = TestSettings.Reader(("Q", value));

        reader.HttpUrl("Q").Should().BeNull();
        reader.Mistakes.Should().Equal($"Q: \"{value}\" is not an address like https://quantum.example/.");
    }

    [Theory]
    [InlineData("https://user:s3cret@q.example/")]
    [InlineData("user:s3cret@q.example")]
    public void HttpUrl_WithAPassword_IsAMistakeThatDoesNotShowIt(string value)
    {
        var reader = TestSettings.Reader(("Q", value));

        reader.HttpUrl("Q").Should().BeNull();
        reader.Mistakes.Should().ContainSingle().Which.Should().NotContain("s3cret");
    }

    [Theory]
    [InlineData("REDIS_PASSWORD")]
    [InlineData("QUANTUM_SERVICE_TOKEN")]
    [InlineData("FERNET_KEYS")]
    public void Mistake_OfASecret_NeverShowsIt(string name)
    {
        var reader = TestSettings.Reader((name, "s3cret"));

        reader.Int(name, 1, 1, 2);
        reader.Switch(name, fallback: false);
        reader.Choice(name, Mode.Single);
        reader.HttpUrl(name);

        reader.Mistakes.Should().HaveCountGreaterThanOrEqualTo(3).And.OnlyContain(line => line.StartsWith(name, StringComparison.Ordinal));
        reader.Mistakes.Should().NotContain(line => line.Contains("s3cret", StringComparison.Ordinal));
    }

    [Fact]
    public void Text_OfAPassword_KeepsItsSpaces() =>
        TestSettings.Reader(("REDIS_PASSWORD", " a b ")).Text("REDIS_PASSWORD").Should().Be(" a b ");

    [Fact]
    public void Mistake_LongOrWithLineEnds_IsOneShortLine()
    {
        var reader = TestSettings.Reader(("A", "x\r\ny\u001b[31m" + new string('z', 10_000)));

        reader.Int("A", 1, 1, 2);

        reader.Mistakes.Should().ContainSingle().Which.Should().Match(line => line.Length < 200 && !line.Any(char.IsControl));
    }

    [Fact]
    public void KnownNames_AreAllThatWereAskedFor()
    {
        var reader = TestSettings.Reader();
        reader.Text("B");
        reader.List("A");
        reader.Int("B", 1, 1, 1);
        reader.Mistake("C", "is odd.");

        reader.KnownNames.Should().Equal("A", "B", "C");
    }

    [Fact]
    public void SettingsException_OfMistakes_TellsThemAll()
    {
        var exception = new SettingsException(["A: is odd.", "B: is not set."]);

        exception.Message.Should().Be($"A: is odd.{Environment.NewLine}B: is not set.");
        exception.Mistakes.Should().HaveCount(2);
        SettingsException.ExitCode.Should().Be(78);
    }

    [Fact]
    public void Reader_JsonNumbersAndSwitches_AreRead()
    {
        using var json = new MemoryStream("""{"WS_PORT": 80, "S": true, "E": [], "N": null}"""u8.ToArray());
        var reader = new SettingReader(new ConfigurationBuilder().AddJsonStream(json).Build());

        reader.Int("WS_PORT", 1, 1, 100).Should().Be(80);
        reader.Switch("S", fallback: false).Should().BeTrue();
        reader.List("E").Should().BeEmpty();
        reader.Text("N").Should().BeNull();
        reader.Mistakes.Should().BeEmpty();
    }

    /// <summary>Whoever mixes settings up may write an address with a password into any of them.</summary>
    [Theory]
    [InlineData("redis://user:geheim@redis:6379")]
    [InlineData("user:geheim@redis:6379")]
    [InlineData("redis://user:geheim,x@redis")]
    [InlineData("x,geheim@y z,geheim")]
    [InlineData("/etc/geheim@1/file")]
    public void Mistake_OfAnySettingWithAnAt_HidesTheValueAndSaysWhy(string value)
    {
        var names = ChatSettings.Read(new ConfigurationBuilder().Build(), ListenMode.Ws, isDevelopment: true).Names;
        names.Should().HaveCountGreaterThan(25);
        foreach (var name in names)
        {
            foreach (var key in new[] { name, $"{name}:0" })
            {
                var other = name == "CERT_FILE" ? "KEY_FILE" : "CERT_FILE";
                var settings = TestSettings.Of((key, value), (other, value));

                var mistakes = FluentActions.Invoking(() => ChatSettings.Read(settings, ListenMode.Both, isDevelopment: true))
                    .Should().Throw<SettingsException>().Which.Mistakes;

                mistakes.Should().NotContain(line => line.Contains("geheim", StringComparison.Ordinal), "{0} is {1}", name, value);
            }
        }

        TestSettings.Reader(("WS_PORT", value)).Shown("WS_PORT", value).Should().Contain("@").And.Contain("not shown");
    }
}
