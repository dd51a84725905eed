using System.Net;
using ChatServer.Endpoints;
using ChatServer.Tests.Configuration.Support;

namespace ChatServer.Tests.Endpoints;

public sealed class ClientAddressTests
{
    [Theory]
    [InlineData("203.0.113.9", null, "203.0.113.9")]
    [InlineData("203.0.113.9", "198.51.100.1", "203.0.113.9")] // Nobody's proxy.
    [InlineData("10.1.2.3", null, "10.1.2.3")]
    [InlineData("10.1.2.3", "198.51.100.1", "198.51.100.1")]
    [InlineData("::ffff:10.1.2.3", "198.51.100.1", "198.51.100.1")]
    [InlineData("10.1.2.3", "1.1.1.1, 198.51.100.1", "198.51.100.1")] // What stands before it the client may have written.
    [InlineData("10.1.2.3", "1.1.1.1, 198.51.100.1, 10.9.9.9", "198.51.100.1")]
    [InlineData("10.1.2.3", "10.9.9.9", "10.9.9.9")]
    [InlineData("10.1.2.3", "198.51.100.1:4711", "198.51.100.1")]
    [InlineData("10.1.2.3", "[2001:db8::1]:4711", "2001:db8::1")]
    [InlineData("10.1.2.3", "2001:db8::1", "2001:db8::1")]
    [InlineData("10.1.2.3", "unknown", "10.1.2.3")]
    [InlineData("10.1.2.3", "198.51.100.1, nonsense", "10.1.2.3")]
    [InlineData("10.1.2.3", " , ,", "10.1.2.3")]
    [InlineData("192.0.2.7", "198.51.100.1", "198.51.100.1")]
    [InlineData("192.0.2.8", "198.51.100.1", "192.0.2.8")]
    [InlineData("fd00::7", "198.51.100.1", "198.51.100.1")]
    public void Of_CountsTheHeaderFromTrustedProxiesAlone(string peer, string? header, string address)
    {
        var reader = TestSettings.Reader(("TRUSTED_PROXIES", "10.0.0.0/8, 192.0.2.7,fd00::/16"));

        ClientAddress.Read(reader).Of(IPAddress.Parse(peer), header).Should().Be(IPAddress.Parse(address));

        reader.Mistakes.Should().BeEmpty();
    }

    [Fact]
    public void Of_NoAddress_IsNone() => new ClientAddress([]).Of(null, "198.51.100.1").Should().BeNull();

    [Theory]
    [InlineData("proxy.example")]
    [InlineData("10.0.0.0/33")]
    public void Read_WrongEntry_IsAMistake(string entry)
    {
        var reader = TestSettings.Reader(("TRUSTED_PROXIES", entry));

        ClientAddress.Read(reader);

        reader.Mistakes.Should().ContainSingle().Which.Should().StartWith("TRUSTED_PROXIES: ");
    }
}
