using System.Text;
using ChatServer.Files;

namespace ChatServer.Tests.Files;

public sealed class FileNameTests
{
    [Theory]
    [InlineData("plan.pdf", "plan.pdf")]
    [InlineData("a/b/plan.pdf", "plan.pdf")]
    [InlineData("a\\b/plan.pdf", "plan.pdf")]
    [InlineData("C:plan.pdf", "plan.pdf")]
    [InlineData("10:30.txt", "10:30.txt")]
    [InlineData("/etc/", "file")]
    [InlineData("", "file")]
    [InlineData("...", "file")]
    [InlineData(" \t ", "file")]
    [InlineData(".bashrc", ".bashrc")]
    [InlineData("plan.pdf. .", "plan.pdf")]
    [InlineData("  plan.pdf  ", "plan.pdf")]
    [InlineData("a\u0000b\u0007c\u007F\u0085d", "abcd")]
    [InlineData("a\u2028b\u2029c", "abc")]
    [InlineData("a\u200Eb\u200Fc\u061Cd\u202Ae\u202Ef\u2066g\u2069h\uFEFFi", "abcdefghi")]
    [InlineData("می‌خواهم.txt", "می‌خواهم.txt")]
    [InlineData("👨‍👩‍👧.png", "👨‍👩‍👧.png")]
    [InlineData("🏴󠁧󠁢󠁥󠁮󠁧󠁿.png", "🏴󠁧󠁢󠁥󠁮󠁧󠁿.png")]
    public void Clean_Name_BecomesABareOne(string name, string expected) => FileName.Clean(name).Should().Be(expected);

    [Fact]
    public void Clean_LongName_IsCutBeforeItsExtensionAndBetweenCharacters()
    {
        var clean = FileName.Clean(new string('ü', 300) + "👨‍👩‍👧.pdf");

        Encoding.UTF8.GetByteCount(clean).Should().BeInRange(FileName.MaxBytes - 1, FileName.MaxBytes);
        clean.Should().EndWith("ü.pdf").And.NotContain("\uFFFD");
    }

    [Fact]
    public void Clean_LongExtension_IsCutToo() =>
        Encoding.UTF8.GetByteCount(FileName.Clean("a." + new string('x', 400))).Should().Be(FileName.MaxBytes);
}
