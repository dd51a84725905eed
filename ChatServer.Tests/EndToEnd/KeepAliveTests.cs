using System.Text;
using System.Text.Json.Nodes;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.EndToEnd;

public sealed class KeepAliveTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Fact]
    public async Task A_silent_peer_is_pinged_and_one_that_answers_stays()
    {
        await using var node = await chat.StartNodeAsync(("PING_INTERVAL", "1"), ("PONG_TIMEOUT", "1"));
        await using var answers = await LoginAsync(node, 1, 700);
        for (var ping = 0; ping < 3; ping++)
        {
            var (opcode, payload) = await answers.NextAsync(TimeSpan.FromSeconds(5));
            opcode.Should().Be(Opcode.Ping);
            await answers.SendAsync(ClientFrames.Frame(Opcode.Pong, payload));
        }

        await answers.SendTextAsync("""{"type":"ping"}""");
        (await answers.TextAsync()).Should().Be("""{"type":"pong"}""");
    }

    [Fact]
    public async Task A_peer_that_answers_no_ping_is_given_up()
    {
        await using var node = await chat.StartNodeAsync(("PING_INTERVAL", "1"), ("PONG_TIMEOUT", "2"));
        await using var peer = await LoginAsync(node, 2, 701);
        var start = TimeProvider.System.GetTimestamp();

        (await peer.NextAsync()).Opcode.Should().Be(Opcode.Ping);
        (await peer.CloseAsync()).Should().Be((4003, "no_pong"));
        TimeProvider.System.GetElapsedTime(start).TotalSeconds.Should().BeInRange(2, 6);
        await Eventually.TrueAsync(
            () => node.Connections.Count == 0, TimeSpan.FromSeconds(15), () => "a peer that was given up is still counted");
    }

    [Fact]
    public async Task Any_traffic_is_a_sign_of_life()
    {
        await using var node = await chat.StartNodeAsync(("PING_INTERVAL", "2"), ("PONG_TIMEOUT", "1"));
        await using var peer = await LoginAsync(node, 3, 702);
        for (var count = 0; count < 8; count++)
        {
            await peer.SendTextAsync("""{"type":"ping"}""");
            (await peer.NextAsync()).Opcode.Should().Be(Opcode.Text, "nobody pings one who talks");
            await Task.Delay(400);
        }
    }

    [Fact]
    public async Task A_ping_of_the_client_is_answered_with_its_data()
    {
        await using var peer = await RawPeer.OpenAsync(chat.Node.Port);
        await peer.SendAsync(ClientFrames.Frame(Opcode.Ping, "anybody there?"u8));

        var (opcode, payload) = await peer.NextAsync();
        opcode.Should().Be(Opcode.Pong);
        Encoding.UTF8.GetString(payload).Should().Be("anybody there?");
    }

    /// <summary>A pong costs as much as an answer to a text frame.</summary>
    [Fact]
    public async Task Pings_count_like_text_frames_and_one_who_goes_on_is_closed()
    {
        await using var node = await chat.StartNodeAsync(("RATE_LIMIT", "1"), ("RATE_BURST", "5"));
        await using var peer = await RawPeer.OpenAsync(node.Port);
        for (var ping = 0; ping < 5; ping++)
        {
            await peer.SendAsync(ClientFrames.Frame(Opcode.Ping, [(byte)ping]));
            (await peer.NextAsync()).Opcode.Should().Be(Opcode.Pong);
        }

        // As many more as a burst holds are passed over.
        for (var ping = 0; ping < 12; ping++)
        {
            await peer.SendAsync(ClientFrames.Frame(Opcode.Ping, []));
        }

        (await peer.CloseAsync()).Should().Be((4002, "rate_limited"));
    }

    [Theory]
    [InlineData(1000)]
    [InlineData(4321)]
    public async Task A_close_is_answered_and_the_connection_ends(int code)
    {
        await using var peer = await LoginAsync(chat.Node, 4, 703);
        await peer.SendAsync(ClientFrames.Close(code));

        (await peer.CloseAsync()).Code.Should().Be(code);
        await peer.Invoking(async gone => await gone.NextAsync()).Should().ThrowAsync<EndOfStreamException>();
    }

    [Theory]
    [InlineData("an unmasked frame", "81027b7d", 1002)]
    [InlineData("a reserved bit", "c18200000000 7b7d", 1002)]
    [InlineData("a reserved opcode", "838200000000 7b7d", 1002)]
    [InlineData("a continuation of nothing", "808200000000 7b7d", 1002)]
    [InlineData("a ping in fragments", "098000000000", 1002)]
    [InlineData("a close of one byte", "888100000000 03", 1002)]
    public async Task A_broken_frame_ends_the_connection(string what, string hex, int code)
    {
        await using var peer = await LoginAsync(chat.Node, 5, 704);
        await peer.SendAsync(Convert.FromHexString(hex.Replace(" ", "", StringComparison.Ordinal)));

        (await peer.CloseAsync()).Code.Should().Be(code, "it was {0}", what);
    }

    [Fact]
    public async Task Who_does_not_read_is_closed_as_slow_while_the_room_goes_on_at_speed()
    {
        const int count = 200;
        const int size = 50_000;
        await using var node = await chat.StartNodeAsync(("SEND_QUEUE_BYTES", "131072"));
        await using var slow = await LoginAsync(node, 6, 705, receiveBuffer: 4096);
        await using var sender = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(7), 705);
        await using var quick = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(8), 705);
        var body = new string('b', size);
        var start = TimeProvider.System.GetTimestamp();
        for (var number = 1; number <= count; number++)
        {
            await sender.SayAsync(705, $"{number}", body);
        }

        (await quick.UntilMessageAsync($"{count}")).SelectMany(frame => frame.Messages()).Select(message => message.Number("seq"))
            .Should().Equal(Enumerable.Range(1, count).Select(seq => (long)seq));
        TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(
            () => node.Connections.All.Any(connection => connection.IsClosing), ChatPeer.Patience, () => "the slow one is not closed");

        // What was queued for it still comes, whole frames, then the close frame.
        (await slow.CloseAsync()).Should().Be((4001, "slow_consumer"));
        (await sender.SayAsync(705, "after")).Number("seq").Should().Be(count + 1);
    }

    /// <summary>An upgrade that comes in two pieces is served by HTTP's own layer, over its stream.</summary>
    [Fact]
    public async Task A_burst_reaches_one_who_reads_and_whose_upgrade_came_in_two_pieces()
    {
        const int count = 20;
        await using var reader = await RawPeer.ConnectAsync(chat.Node.Port);
        var upgrade = RawPeer.Upgrade();
        await reader.SendAsync(Encoding.ASCII.GetBytes(upgrade[..20]));
        await Task.Delay(100);
        (await reader.AskAsync(upgrade[20..])).Should().StartWith("HTTP/1.1 101 ");
        await EnterAsync(reader, 11, 707);
        await using var sender = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(12), 707);
        var body = new string('b', 60_000);
        for (var number = 1; number <= count; number++)
        {
            await sender.ChatAsync(707, $"{number}", body);
        }

        for (var number = 1; number <= count;)
        {
            // What is saved is told in between.
            var frame = JsonNode.Parse(await reader.TextAsync())!.AsObject();
            foreach (var message in frame.Type() == "chat" ? frame.Messages() : [])
            {
                message.Text("identifier").Should().Be($"{number++}");
            }
        }
    }

    [Fact]
    public async Task Who_never_reads_again_is_cut_off()
    {
        await using var node = await chat.StartNodeAsync(("SEND_QUEUE_BYTES", "66560"));
        await using var slow = await LoginAsync(node, 9, 706, receiveBuffer: 4096);
        await using var sender = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(10), 706);
        var body = new string('b', 60_000);
        for (var number = 0; number < 150; number++)
        {
            await sender.SayAsync(706, $"{number}", body);
        }

        await Eventually.TrueAsync(
            () => node.Connections.Count == 1, TimeSpan.FromSeconds(25), () => "its connection holds on to its buffers");
    }

    private async Task<RawPeer> LoginAsync(TestNode node, long user, long room, int? receiveBuffer = null)
    {
        var peer = await RawPeer.OpenAsync(node.Port, receiveBuffer);
        await EnterAsync(peer, user, room);
        return peer;
    }

    private async Task EnterAsync(RawPeer peer, long user, long room)
    {
        await peer.SendTextAsync(
            $"{{\"type\":\"auth\",\"token\":\"{await chat.Sessions.LoginAsync(user)}\",\"rooms\":[{{\"room_id\":{room}}}]}}");
        (await peer.TextAsync()).Should().Contain("\"success\":true");
        (await peer.TextAsync()).Should().Contain("joined");
    }
}
