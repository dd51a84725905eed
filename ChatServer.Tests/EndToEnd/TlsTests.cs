using System.Net;
using ChatServer.Endpoints;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class TlsTests(ChatFixture chat, DevCertificate certificate) : IClassFixture<ChatFixture>, IClassFixture<DevCertificate>
{
    [Fact]
    public async Task Clients_over_plain_HTTP1_TLS_HTTP1_and_HTTP2_chat_with_each_other()
    {
        await using var node = await StartAsync(ListenMode.Both);
        await using var plain = await JoinAsync(1, await ChatPeer.OpenAsync(node.Url));
        await using var h1 = await JoinAsync(2, await OpenAsync(node, HttpVersion.Version11));
        await using var h2 = await JoinAsync(3, await OpenAsync(node, HttpVersion.Version20));
        var peers = new[] { plain, h1, h2 };
        foreach (var (sender, number) in peers.Select((peer, index) => (peer, index + 1)))
        {
            var body = new string((char)('a' + number), 40_000);
            (await sender.SayAsync(800, $"m{number}", body)).Number("seq").Should().Be(number);
            foreach (var other in peers.Where(other => other != sender))
            {
                (await other.UntilMessageAsync($"m{number}"))[^1].Messages().Last().Text("body").Should().Be(body);
            }
        }
    }

    [Fact]
    public async Task A_close_code_arrives_over_every_protocol()
    {
        await using var node = await StartAsync(ListenMode.Wss);
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            await using var peer = await OpenAsync(node, version);
            await peer.SendTextAsync("nobody's token");
            await peer.NextAsync("auth");
            (await peer.Closed).Should().Be((4500, "invalid_token"), "over HTTP/{0}", version);
        }
    }

    [Fact]
    public async Task Foreign_pages_and_requests_that_are_no_upgrade_are_refused_over_HTTP2_too()
    {
        await using var node = await StartAsync(ListenMode.Wss);
        foreach (var version in new[] { HttpVersion.Version11, HttpVersion.Version20 })
        {
            var opening = async () => await OpenAsync(node, version, "https://evil.example");
            (await opening.Should().ThrowAsync<System.Net.WebSockets.WebSocketException>("over HTTP/{0}", version)).WithMessage("*403*");
        }

        using var client = new HttpClient(certificate.Handler());
        using var request = new HttpRequestMessage(HttpMethod.Get, $"https://localhost:{node.TlsPort}/ws")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };
        (await client.SendAsync(request)).StatusCode.Should().Be(HttpStatusCode.BadRequest);
    }

    [Fact]
    public async Task Each_mode_opens_its_own_ports()
    {
        await using var wss = await StartAsync(ListenMode.Wss);
        wss.Port.Should().Be(0);
        using var client = new HttpClient(certificate.Handler());
        (await client.GetStringAsync($"https://localhost:{wss.TlsPort}/healthz")).Should().Be("alive");

        await using var ws = await StartAsync(ListenMode.Ws);
        ws.TlsPort.Should().Be(0);
    }

    /// <summary>What a member gets in one go may be more than may wait for it: that says nothing about how fast it reads.</summary>
    [Theory]
    [InlineData(1, 20)]
    [InlineData(2, 20)]
    [InlineData(1, 60)]
    public async Task A_burst_within_the_rate_limit_reaches_all_who_read_over_TLS(int httpVersion, int count)
    {
        await using var node = await StartAsync(ListenMode.Both);
        await using var sender = await JoinAsync(50, await ChatPeer.OpenAsync(node.Url), 801);
        var readers = new List<ChatPeer>();
        for (var user = 51; user <= 60; user++)
        {
            readers.Add(await JoinAsync(user, await OpenAsync(node, new Version(httpVersion, httpVersion == 1 ? 1 : 0)), 801));
        }

        var body = new string('b', 60_000);
        for (var number = 1; number <= count; number++)
        {
            await sender.ChatAsync(801, $"b{count}-{httpVersion}-{number}", body);
        }

        foreach (var reader in readers)
        {
            var frames = await reader.UntilMessageAsync($"b{count}-{httpVersion}-{count}");
            frames.SelectMany(frame => frame.Messages()).Select(message => message.Text("identifier"))
                .Should().Equal(Enumerable.Range(1, count).Select(number => $"b{count}-{httpVersion}-{number}"));
            await reader.DisposeAsync();
        }
    }

    private Task<TestNode> StartAsync(ListenMode mode) => TestNode.StartAsync(
        "Production", mode,
        ("REDIS_HOST", RedisServer.Host), ("REDIS_PORT", $"{chat.Redis.Port}"), ("QUANTUM_SERVER_URL", chat.Quantum.Url.AbsoluteUri),
        ("ALLOWED_HOSTS", "localhost"), ("CERT_FILE", certificate.CertificateFile), ("KEY_FILE", certificate.KeyFile));

    private async Task<ChatPeer> OpenAsync(TestNode node, Version version, string origin = "https://localhost")
    {
        using var invoker = new HttpMessageInvoker(certificate.Handler(), disposeHandler: false);
        return await ChatPeer.OpenAsync(node.TlsUrl, origin, options =>
        {
            options.HttpVersion = version;
            options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        }, invoker);
    }

    private async Task<ChatPeer> JoinAsync(long user, ChatPeer peer, long room = 800)
    {
        await peer.SendTextAsync(await chat.Sessions.LoginAsync(user, roomIds: $"[{room}]"));
        await peer.NextAsync("auth");
        await peer.NextAsync("joined");
        return peer;
    }
}
