using System.Globalization;
using System.Net;
using System.Net.WebSockets;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>What a node does between the signal to stop and its end, seen from outside.</summary>
public sealed class DrainTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    /// <summary>What the end of a node may take besides the drain.</summary>
    private static readonly TimeSpan Besides = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task New_sockets_are_refused_at_once_and_open_ones_are_closed_evenly_over_the_time()
    {
        const int seconds = 4;
        await using var node = await StartAsync(seconds);
        var unknown = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => ChatPeer.OpenAsync(node.Url)));
        var known = await Task.WhenAll(Enumerable.Range(1, 36).Select(async user =>
            await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), 1000)));
        var began = TimeProvider.System.GetTimestamp();
        var closings = unknown.Concat(known).Select(peer => ClosedAfterAsync(peer, began)).ToList();

        node.Send(Signal.Terminate);

        using var http = new HttpClient { BaseAddress = new($"http://127.0.0.1:{node.Port}"), Timeout = ChatPeer.Patience };
        await Eventually.TrueAsync(
            () => http.GetAsync("/readyz").GetAwaiter().GetResult().StatusCode == HttpStatusCode.ServiceUnavailable,
            TimeSpan.FromSeconds(1), () => "it is ready still");
        (await http.GetStringAsync("/healthz")).Should().Be("alive");
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        await using (var reused = await RawPeer.ConnectAsync(node.Port))
        {
            (await reused.AskAsync("HEAD /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")).Should().StartWith("HTTP/1.1 404 ");
            (await reused.AskAsync(RawPeer.Upgrade())).Should().StartWith("HTTP/1.1 503 ");
        }

        (await node.ExitAsync(TimeSpan.FromSeconds(seconds) + Besides)).Should().Be(0);
        var closed = await Task.WhenAll(closings);
        closed.Should().AllSatisfy(peer => (peer.Code, peer.Reason).Should().Be((1012, "restart")));
        closed.Take(unknown.Length).Max(peer => peer.After).Should().BeLessThan(TimeSpan.FromSeconds(1.5), "they go first");
        for (var part = 0; part < seconds; part++)
        {
            closed.Count(peer => (int)Math.Min(peer.After.TotalSeconds, seconds - 0.01) == part).Should()
                .BeInRange(4, 18, "second {0} has about a quarter of {1}", part, closed.Length);
        }

        await DisposeAsync([.. unknown, .. known]);
    }

    [Theory]
    [InlineData((int)Signal.Terminate)]
    [InlineData((int)Signal.Interrupt)]
    public async Task A_second_signal_ends_the_drain_at_once(int second)
    {
        await using var node = await StartAsync(600);
        var peers = await Task.WhenAll(Enumerable.Range(1, 5).Select(async user =>
            await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), 1001)));
        node.Send(Signal.Terminate);
        await Eventually.TrueAsync(() => peers.Any(peer => peer.HasClosed), ChatPeer.Patience, () => "it does not begin");
        peers.Count(peer => peer.HasClosed).Should().Be(1);

        node.Send((Signal)second);

        (await node.ExitAsync(Besides)).Should().Be(0);
        foreach (var peer in peers)
        {
            (await peer.Closed).Should().Be((1012, "restart"));
        }

        await DisposeAsync(peers);
    }

    [Fact]
    public async Task A_message_on_its_way_gets_its_ack_before_the_connection_is_closed()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await StartAsync(5, redis);
        await using var peer = await ChatPeer.LoginAsync(node.Url, await new TestSessions(connection).LoginAsync(1), 1002);
        (await peer.SayAsync(1002, "a1")).Number("seq").Should().Be(1);
        Signal.Stop.SendTo(redis.ProcessId);
        for (var number = 2; number <= 9; number++)
        {
            await peer.ChatAsync(1002, $"a{number}", "on its way");
        }

        await peer.SendAsync(new { type = "ping" });
        await peer.NextAsync("pong");
        node.Send(Signal.Terminate);
        await Task.Delay(1000);
        Signal.Continue.SendTo(redis.ProcessId);

        for (var number = 2; number <= 9; number++)
        {
            (await peer.NextAsync("ack")).Text("identifier").Should().Be($"a{number}");
        }

        (await peer.Closed).Should().Be((1012, "restart"));
        (await node.ExitAsync(Besides)).Should().Be(0);
    }

    [Fact]
    public async Task A_file_on_its_way_arrives_before_its_connection_is_closed_and_one_that_stops_coming_holds_nobody_up()
    {
        const int seconds = 6;
        await using var node = await StartAsync(seconds);
        await using var other = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(1), 1003);
        await using var sender = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(2), 1003);
        await using var silent = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(3), 1003);
        var began = await AnnounceAsync(sender, "f1");
        await AnnounceAsync(silent, "f2");

        node.Send(Signal.Terminate);

        (await other.Closed).Should().Be((1012, "restart"));
        await Task.Delay(1500);
        sender.HasClosed.Should().BeFalse("its file is under way");
        await sender.SendBytesAsync(new byte[500], WebSocketMessageType.Binary);
        (await sender.FindAsync("ack")).Text("identifier").Should().Be("f1");
        (await sender.Closed).Should().Be((1012, "restart"));
        TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(TimeSpan.FromSeconds(seconds - 1), "it is closed when it is done");
        (await silent.Closed).Should().Be((1012, "restart"));
        (await node.ExitAsync(TimeSpan.FromSeconds(seconds) + Besides)).Should().Be(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public async Task It_ends_in_time_while_Redis_is_frozen_and_nobody_answers_a_close_frame(int seconds)
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await StartAsync(seconds, redis);
        await using var peer = await ChatPeer.LoginAsync(node.Url, await new TestSessions(connection).LoginAsync(1), 1004);
        await using var mute = await RawPeer.OpenAsync(node.Port);
        (await peer.SayAsync(1004, "a1")).Number("seq").Should().Be(1);
        Signal.Stop.SendTo(redis.ProcessId);
        await peer.ChatAsync(1004, "a2", "nobody takes it");

        node.Send(Signal.Terminate);

        (await node.ExitAsync(TimeSpan.FromSeconds(seconds) + Besides)).Should().Be(0);
        (await peer.Closed).Should().Be((1012, "restart"));
        (await mute.CloseAsync()).Should().Be((1012, "restart"));
    }

    [Fact]
    public async Task Its_leases_are_free_as_soon_as_the_connections_are_drained()
    {
        const int seconds = 1;
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await StartAsync(seconds, redis);
        await using var mute = await RawPeer.OpenAsync(node.Port);
        var server = connection.GetServer(redis.Endpoint);
        await Eventually.TrueAsync(Leased, ChatPeer.Patience, () => "it takes no leases");

        node.Send(Signal.Terminate);

        await Eventually.TrueAsync(
            () => !Leased(), TimeSpan.FromSeconds(seconds + 2), () => "others have to wait for the leases to expire");
        node.IsRunning.Should().BeTrue("one who does not answer the close frame is given some time, and delays nobody else");
        (await node.ExitAsync(TimeSpan.FromSeconds(seconds) + Besides)).Should().Be(0);

        bool Leased() => server.Keys(pattern: "chat:*:lease").Any();
    }

    private async Task<NodeProcess> StartAsync(int drainSeconds, RedisServer? redis = null)
    {
        var node = new NodeProcess(
            (redis ?? chat.Redis).Port, chat.Quantum.Url.Port, null,
            ("DRAIN_SECONDS", drainSeconds.ToString(CultureInfo.InvariantCulture)), ("ALLOW_MISSING_ORIGIN", "true"));
        await node.StartAsync();
        return node;
    }

    private static async Task<(int Code, string Reason, TimeSpan After)> ClosedAfterAsync(ChatPeer peer, long began)
    {
        var (code, reason) = await peer.Closed;
        return (code, reason, TimeProvider.System.GetElapsedTime(began));
    }

    private static async Task<long> AnnounceAsync(ChatPeer peer, string identifier)
    {
        var began = TimeProvider.System.GetTimestamp();
        await peer.SendAsync(
            new { type = "file", room_id = 1003, identifier, name = "notes.txt", content_type = "text/plain", size = 1000 });
        await peer.FindAsync("upload");
        await peer.SendBytesAsync(new byte[500], WebSocketMessageType.Binary);
        return began;
    }

    private static async Task DisposeAsync(IEnumerable<ChatPeer> peers)
    {
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }
}
