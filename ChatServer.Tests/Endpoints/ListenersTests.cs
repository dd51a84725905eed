using System.Net;
using ChatServer.Endpoints;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace ChatServer.Tests.Endpoints;

public sealed class ListenersTests(DevCertificate certificate) : IClassFixture<DevCertificate>
{
    private const int Limit = 60_000;

    [Theory(Timeout = Limit)]
    [InlineData((int)ListenMode.Ws, "http")]
    [InlineData((int)ListenMode.Wss, "https")]
    [InlineData((int)ListenMode.Both, "http", "https")]
    public async Task Configure_EachMode_OpensItsOwnPortsOnTheAddressThatIsSet(int mode, params string[] schemes)
    {
        await using var node = await StartAsync((ListenMode)mode);

        var addresses = node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses
            .Select(address => new Uri(address)).ToList();
        addresses.Select(address => address.Scheme).Should().Equal(schemes);
        addresses.Should().AllSatisfy(address => address.Host.Should().Be("127.0.0.1"));
    }

    [Fact(Timeout = Limit)]
    public async Task Configure_EveryAddress_ListensOnIPv6Too()
    {
        await using var node = await StartAsync(ListenMode.Ws, ("CHAT_LISTEN_ADDRESS", "*"));

        node.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Should().ContainSingle()
            .Which.Should().StartWith("http://[::]:");
    }

    [Theory(Timeout = Limit)]
    [InlineData("1.1")]
    [InlineData("2.0")]
    public async Task Configure_Wss_SpeaksBothVersionsAndShowsTheCertificate(string version)
    {
        await using var node = await StartAsync(ListenMode.Wss);
        using var client = Client();

        using var answer = await client.SendAsync(Get($"https://localhost:{node.TlsPort}/healthz", version));

        (answer.StatusCode, answer.Version).Should().Be((HttpStatusCode.OK, Version.Parse(version)));
        answer.Headers.Contains("Server").Should().BeFalse("nobody needs to know what answers");
    }

    [Fact(Timeout = Limit)]
    public async Task Configure_Ws_SpeaksHttp1Only()
    {
        await using var node = await StartAsync(ListenMode.Ws);
        using var client = Client();
        (await client.SendAsync(Get($"{node.Http}healthz", "1.1"))).StatusCode.Should().Be(HttpStatusCode.OK);

        await FluentActions.Awaiting(() => client.SendAsync(Get($"{node.Http}healthz", "2.0"))).Should().ThrowAsync<HttpRequestException>();
    }

    [Fact(Timeout = Limit)]
    public async Task Configure_ReadsLittleAheadAndLetsIdleSocketsBe()
    {
        await using var node = await StartAsync(ListenMode.Both);

        var limits = node.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        (limits.MaxRequestBufferSize, limits.Http2.InitialStreamWindowSize, limits.Http2.InitialConnectionWindowSize).Should()
            .Be((65_536, 65_536, 65_536));
        limits.MinResponseDataRate.Should().BeNull();
    }

    [Theory(Timeout = Limit)]
    [InlineData((int)ListenMode.Ws)]
    [InlineData((int)ListenMode.Wss)]
    public async Task Configure_EveryPort_TakesChatConnections(int mode)
    {
        await using var node = await StartAsync((ListenMode)mode);
        using var invoker = new HttpMessageInvoker(certificate.Handler());

        await using var peer = await ChatPeer.OpenAsync(mode == (int)ListenMode.Ws ? node.Url : node.TlsUrl, invoker: invoker);

        await peer.SendTextAsync("no token");
        (await peer.Closed).Code.Should().Be(4500);
    }

    private static HttpRequestMessage Get(string url, string version) => new(HttpMethod.Get, new Uri(url))
    {
        Version = Version.Parse(version),
        VersionPolicy = HttpVersionPolicy.RequestVersionExact,
    };

    private Task<TestNode> StartAsync(ListenMode mode, params (string Name, string Value)[] settings) => TestNode.StartAsync(
        "Development", mode, [("CERT_FILE", certificate.CertificateFile), ("KEY_FILE", certificate.KeyFile), .. settings]);

    private HttpClient Client() => new(certificate.Handler()) { Timeout = ChatPeer.Patience };
}
