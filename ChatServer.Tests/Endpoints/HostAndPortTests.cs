using ChatServer.Endpoints;

namespace ChatServer.Tests.Endpoints;

public sealed class HostAndPortTests
{
    [Theory]
    [InlineData("http://Chat.Example", "chat.example", 80)]
    [InlineData("WSS://chat.example", "chat.example", 443)]
    [InlineData("https://chat.example:80", "chat.example", 80)]
    [InlineData("capacitor://localhost", "localhost", null)]
    [InlineData("https://chat.example.", "chat.example", 443)]
    [InlineData("http://[2001:DB8:0:0:0:0:0:1]:8001", "[2001:db8::1]", 8001)]
    public void TryReadOrigin_WellFormed_GivesOneFormOfTheHostAndThePort(string origin, string host, int? port)
    {
        HostAndPort.TryReadOrigin(origin, out var result).Should().BeTrue();

        result.Should().Be(new HostAndPort(host, port));
    }

    [Theory]
    [InlineData("chat.example")]
    [InlineData("null")]
    [InlineData("https://chat.example/path")]
    [InlineData("https://user@chat.example")]
    [InlineData("https://")]
    public void TryReadOrigin_AnythingElse_IsNone(string origin) => HostAndPort.TryReadOrigin(origin, out _).Should().BeFalse();

    [Theory]
    [InlineData("chat.example", null, null)]
    [InlineData("chat.example", 443, 443)]
    [InlineData("chat.example:8001", 443, 8001)]
    public void TryParse_ThePort_IsTheOneThatStandsThereOrTheDefault(string text, int? fallback, int? port)
    {
        HostAndPort.TryParse(text, fallback, out var result).Should().BeTrue();

        result.Should().Be(new HostAndPort("chat.example", port));
    }

    [Theory]
    [InlineData(253, true)]
    [InlineData(254, false)]
    public void TryParse_ANameAsLongAsTheDnsAllows_IsTheLongest(int length, bool isHost) =>
        HostAndPort.TryParse(new string('a', length), null, out _).Should().Be(isHost);
}
