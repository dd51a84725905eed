using System.Text;
using ChatServer.Endpoints;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace ChatServer.Tests.Endpoints;

/// <summary>The endpoint in HTTP, on a whole node in memory: a connection that has asked HTTP before is never served below it.</summary>
public sealed class ChatEndpointTests
{
    private const int Limit = 60_000;
    private const string Before = "HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n";

    [Fact(Timeout = Limit)]
    public async Task Serve_AnUpgradeInHttp_IsAChatConnectionLikeAnyOther()
    {
        await using var node = await StartAsync();
        await using var peer = await RawPeer.ConnectAsync(node.Port);
        (await peer.AskAsync(Before)).Should().StartWith("HTTP/1.1 404 ");

        (await peer.AskAsync(RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ").And.Contain("Date: ", "HTTP has served it");

        await peer.SendTextAsync("no token");
        (await peer.TextAsync()).Should().Contain("\"invalid_token\"");
        (await peer.CloseAsync()).Should().Be((4500, "invalid_token"));
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_AForeignPage_Is403AndOneLineSaysWhatToDo()
    {
        await using var node = await StartAsync();

        (await AskAsync(node, RawPeer.Upgrade("https://evil.example"))).Should().StartWith("HTTP/1.1 403 ");

        node.Log.All.Should().ContainSingle(line => line.StartsWith("Warning", StringComparison.Ordinal)
            && line.Contains("https://evil.example", StringComparison.Ordinal) && line.Contains("ALLOWED_HOSTS", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_ARequestThatIsNoUpgrade_IsToldToUpgradeWhateverPageAsks()
    {
        await using var node = await StartAsync();

        (await AskAsync(node, "GET /ws HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\n\r\n")).Should()
            .StartWith("HTTP/1.1 426 ").And.Contain("Upgrade: websocket");
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_TheNodeIsFull_Is503UntilAPlaceIsFree()
    {
        await using var node = await StartAsync(("MAX_CONNECTIONS", "1"));
        var place = node.Connections.Places.TryTake(null, out _)!;
        place.BecomeKnown();

        (await AskAsync(node, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        node.Log.All.Should().Contain(line => line.Contains("MAX_CONNECTIONS", StringComparison.Ordinal));
        place.GiveBack();

        (await AskAsync(node, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ");
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_AHandshakeFailsOrAConnectionEnds_ItsPlaceIsFreeAgain()
    {
        await using var node = await StartAsync(("MAX_CONNECTIONS", "1"));
        (await AskAsync(node, RawPeer.Upgrade(key: "short"))).Should().StartWith("HTTP/1.1 400 ");
        (await AskAsync(node, RawPeer.Upgrade(version: "12"))).Should().StartWith("HTTP/1.1 426 ");

        (await AskAsync(node, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 101 ");

        await Eventually.TrueAsync(
            () => node.Connections.Places.TryTake(null, out _) is not null, ChatPeer.Patience, () => "its place was not given back");
        node.Connections.Places.TryTake(null, out _).Should().BeNull("there is one");
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_TheServiceIsAboutToStop_Is503()
    {
        await using var node = await StartAsync();
        node.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();

        (await AskAsync(node, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should()
            .StartWith("HTTP/1.1 503 ", "below HTTP nobody is let in either");
    }

    [Theory(Timeout = Limit)]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public async Task Serve_ACompressionIsOffered_IsTakenWhereItIsSwitchedOn(string setting, bool isTaken)
    {
        await using var node = await StartAsync(("CHAT_PERMESSAGE_DEFLATE", setting));

        var answer = await AskAsync(node, RawPeer.Upgrade()[..^2] + "Sec-WebSocket-Extensions: permessage-deflate\r\n\r\n");

        answer.Contains("Sec-WebSocket-Extensions: permessage-deflate", StringComparison.Ordinal).Should().Be(isTaken);
    }

    [Fact(Timeout = Limit)]
    public async Task Serve_AnUpgradeInHttp10_IsToldToUpgrade()
    {
        await using var node = await StartAsync();

        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade().Replace("HTTP/1.1", "HTTP/1.0", StringComparison.Ordinal)))
            .Should().StartWith("HTTP/1.1 426 ");
    }

    /// <summary>As browsers send what another application has set.</summary>
    [Theory(Timeout = Limit)]
    [InlineData("Cookie: name=J\u00FCrgen")]
    [InlineData("Referer: http://localhost/caf\u00E9")]
    public async Task Serve_ALatin1ByteInAHeaderThatPlaysNoRole_DoesNotDecide(string header)
    {
        await using var node = await StartAsync();
        await using var peer = await RawPeer.ConnectAsync(node.Port);

        await peer.SendAsync(Encoding.Latin1.GetBytes(RawPeer.Upgrade()[..^2] + header + "\r\n\r\n"));

        (await peer.AskAsync("")).Should().StartWith("HTTP/1.1 101 ");
    }

    [Theory(Timeout = Limit)]
    [InlineData("/healthz")]
    [InlineData("/readyz")]
    [InlineData("/metrics")]
    public async Task Head_OfWhatOperatorsAsk_IsTheAnswerWithoutABody(string path)
    {
        await using var node = await StartAsync();
        using var http = new HttpClient { Timeout = ChatPeer.Patience };
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(node.Http, path));

        using var answer = await http.SendAsync(request);

        answer.IsSuccessStatusCode.Should().BeTrue();
        (await answer.Content.ReadAsByteArrayAsync()).Should().BeEmpty();
    }

    private static Task<TestNode> StartAsync(params (string Name, string Value)[] settings) =>
        TestNode.StartAsync("Development", ListenMode.Ws, settings);

    private static async Task<string> AskAsync(TestNode node, string request)
    {
        await using var peer = await RawPeer.ConnectAsync(node.Port);
        await peer.AskAsync(Before);
        return await peer.AskAsync(request);
    }
}
