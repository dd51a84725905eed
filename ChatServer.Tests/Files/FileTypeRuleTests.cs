using ChatServer.Files;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Files;

public sealed class FileTypeRuleTests
{
    [Theory]
    [InlineData("", "application/octet-stream")]
    [InlineData("  ", "application/octet-stream")]
    [InlineData("image/PNG", "image/png")]
    [InlineData("text/plain; charset=utf-8", "text/plain")]
    [InlineData("image/svg+xml", "image/svg+xml")]
    [InlineData("application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document")]
    [InlineData("a picture", null)]
    [InlineData("image", null)]
    [InlineData("image/", null)]
    [InlineData("/png", null)]
    [InlineData("a/b/c", null)]
    [InlineData("text/plain\r\nX-Evil: 1", null)]
    [InlineData("tëxt/plain", null)]
    public void Normalize_Text_BecomesAMediaTypeOrNull(string text, string? expected) => FileTypeRule.Normalize(text).Should().Be(expected);

    [Theory]
    [InlineData("", "", "a.exe", "image/png", true)]
    [InlineData("", ".exe", "a.exe", "image/png", false)]
    [InlineData("", ".EXE, text/html", "a.Exe", "image/png", false)]
    [InlineData("", "text/html", "a.txt", "text/html", false)]
    [InlineData("", "image/*", "a.png", "image/png", false)]
    [InlineData("", "image/*", "a.png", "imagery/png", true)]
    [InlineData("image/*", "", "a.exe", "image/png", true)]
    [InlineData("image/*", "", "a.png", "text/plain", false)]
    [InlineData("image/*, .png", "", "a.exe", "image/png", false)]
    [InlineData("image/*, .png", "", "a.png", "image/png", true)]
    [InlineData(".png, .jpg", "", "a.jpg", "x/y", true)]
    [InlineData("image/*", "image/svg+xml", "a.svg", "image/svg+xml", false)]
    public void Takes_File_AsTheSettingsSay(string allowed, string blocked, string name, string type, bool expected) =>
        FileTypeRule.Read(TestSettings.Reader(("CHAT_FILE_TYPES_ALLOWED", allowed), ("CHAT_FILE_TYPES_BLOCKED", blocked)))
            .Takes(name, type).Should().Be(expected);

    [Theory]
    [InlineData("exe")]
    [InlineData(".")]
    [InlineData("image/")]
    [InlineData("*")]
    public void Read_WrongEntry_IsAMistake(string entry)
    {
        var reader = TestSettings.Reader(("CHAT_FILE_TYPES_BLOCKED", entry));

        FileTypeRule.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith("CHAT_FILE_TYPES_BLOCKED: ");
    }
}
