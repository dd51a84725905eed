using ChatServer.Endpoints;

namespace ChatServer.Tests.Endpoints;

public sealed class HostPatternTests
{
    [Theory]
    [InlineData("chat.example", "chat.example", true)]
    [InlineData("chat.example", "a.chat.example", false)]
    [InlineData(".chat.example", "chat.example", true)]
    [InlineData(".chat.example", "a.b.chat.example", true)]
    [InlineData(".chat.example", "badchat.example", false)]
    [InlineData(".chat.example", "example", false)]
    [InlineData("*", "chat.example", false)]
    public void Matches_AHostInItsOneForm_IsTheEntrysOwnOrBelowIt(string entry, string host, bool matches) =>
        HostPattern.Parse(entry).Matches(new(host, 443)).Should().Be(matches);

    [Theory]
    [InlineData("chat.example", 8001, true)]
    [InlineData("chat.example", null, true)]
    [InlineData("chat.example:8001", 8001, true)]
    [InlineData("chat.example:8001", 8002, false)]
    [InlineData("chat.example:8001", null, false)]
    [InlineData(".chat.example:8001", 8001, true)]
    public void Matches_AnEntryWithAPort_MeansThatPortOnly(string entry, int? port, bool matches) =>
        HostPattern.Parse(entry).Matches(new("chat.example", port)).Should().Be(matches);

    [Fact]
    public void IsAny_TheStar_StandsForEverythingAndNothingElseDoes()
    {
        HostPattern.Parse("*").IsAny.Should().BeTrue();
        HostPattern.Parse(".chat.example").IsAny.Should().BeFalse();
        HostPattern.TryParse("*.chat.example", out _).Should().BeFalse();
    }

    [Fact]
    public void Parse_Malformed_SaysWhatItWas() =>
        FluentActions.Invoking(() => HostPattern.Parse("a b")).Should().Throw<FormatException>().WithMessage("\"a b\"*");
}
