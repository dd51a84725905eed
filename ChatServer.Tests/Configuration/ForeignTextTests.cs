using ChatServer.Configuration;

namespace ChatServer.Tests.Configuration;

public sealed class ForeignTextTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("plain ü 漢 😀 \\u0041", "plain ü 漢 😀 \\u0041")]
    [InlineData("a\u202Eb", "a\\u202eb")]
    [InlineData("\u001B[2J\r\nfail: x\0\u007F\u009B", "\\u001b[2J\\u000d\\u000afail: x\\u0000\\u007f\\u009b")]
    [InlineData("\u2066\u200B\uFEFF\u00AD", "\\u2066\\u200b\\ufeff\\u00ad")]
    [InlineData("\u2028\u2029", "\\u2028\\u2029")]
    [InlineData("\U000E0041", "\\udb40\\udc41")]
    public void Escape_WhatSteersALineOrItsDirection_IsAnEscape(string text, string shown) =>
        ForeignText.Escape(text).Should().Be(shown);

    [Fact]
    public void Escape_HalfAPair_IsAnEscape() => ForeignText.Escape("a\uD83D b\uDE00").Should().Be("a\\ud83d b\\ude00");

    [Fact]
    public void Cut_LongText_EndsBetweenCharacters()
    {
        ForeignText.Cut("abc", 3).Should().Be("abc");
        ForeignText.Cut("abcd", 3).Should().Be("abc…");
        ForeignText.Cut("ab😀d", 3).Should().Be("ab…");
        ForeignText.Shown(new string('\u202E', 1000)).Should().HaveLength(ForeignText.MaxCharacters * 6 + 1);
    }
}
