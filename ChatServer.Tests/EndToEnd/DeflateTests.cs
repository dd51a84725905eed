using System.Net.WebSockets;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.EndToEnd;

/// <summary>permessage-deflate between .NET's client, or the bare socket, and a node that has it switched on.</summary>
public sealed class DeflateTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const string Offer = "Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits\r\n";

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task People_with_and_without_compression_chat_with_each_other(bool contextTakeover)
    {
        await using var node = await chat.StartNodeAsync(("CHAT_PERMESSAGE_DEFLATE", "true"));
        await using var plain = await LoginAsync(node, 1, null);
        await using var small = await LoginAsync(
            node, 2, new() { ClientContextTakeover = contextTakeover, ServerContextTakeover = contextTakeover });
        await using var other = await LoginAsync(chat.Node, 3, null);
        var prefix = contextTakeover ? "t" : "n";
        var body = string.Concat(Enumerable.Repeat("Grüße an alle 👋 ", 100));

        foreach (var (from, identifier) in new[] { (plain, prefix + "1"), (small, prefix + "2"), (other, prefix + "3"),
            (small, prefix + "4") })
        {
            await from.ChatAsync(900, identifier, body + identifier);
            foreach (var peer in new[] { plain, small, other }.Where(peer => peer != from))
            {
                var frame = (await peer.UntilMessageAsync(identifier))[^1];
                frame.Messages().Should().ContainSingle().Which.Text("body").Should().Be(body + identifier);
            }

            (await from.FindAsync("ack")).Text("identifier").Should().Be(identifier);
        }
    }

    [Fact]
    public async Task It_is_agreed_on_only_if_it_is_switched_on_and_offered()
    {
        await using var node = await chat.StartNodeAsync(("CHAT_PERMESSAGE_DEFLATE", "true"));
        var offering = RawPeer.Upgrade().Replace("\r\n\r\n", "\r\n" + Offer + "\r\n", StringComparison.Ordinal);

        (await RawPeer.AskOnceAsync(node.Port, offering)).Should()
            .Contain("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover; client_no_context_takeover\r\n");
        (await RawPeer.AskOnceAsync(node.Port, RawPeer.Upgrade())).Should().NotContain("Sec-WebSocket-Extensions");
        (await RawPeer.AskOnceAsync(chat.Node.Port, offering)).Should()
            .StartWith("HTTP/1.1 101 ").And.NotContain("Sec-WebSocket-Extensions");

        // An upgrade that HTTP serves, for its odd header, agrees too.
        (await RawPeer.AskOnceAsync(node.Port, offering.Replace("\r\n\r\n", "\r\nX-Odd!: 1\r\n\r\n", StringComparison.Ordinal))).Should()
            .Contain("Date:").And.Contain("Sec-WebSocket-Extensions: permessage-deflate; server_no_context_takeover");
    }

    [Fact]
    public async Task A_few_bytes_that_stand_for_many_close_that_connection_alone()
    {
        await using var node = await chat.StartNodeAsync(("CHAT_PERMESSAGE_DEFLATE", "true"));
        await using var other = await LoginAsync(node, 1, new());
        await using var peer = await RawPeer.ConnectAsync(node.Port);
        (await peer.AskAsync(RawPeer.Upgrade().Replace("\r\n\r\n", "\r\n" + Offer + "\r\n", StringComparison.Ordinal))).Should()
            .StartWith("HTTP/1.1 101 ");
        await peer.SendTextAsync($"{{\"type\":\"auth\",\"token\":\"{await chat.Sessions.LoginAsync(2)}\"}}");
        await peer.NextAsync();
        var bomb = Deflated.Message(new string(' ', 10_000_000));
        bomb.Length.Should().BeLessThan(16 * 1024);

        await peer.SendAsync(ClientFrames.Frame(Opcode.Text | (Opcode)Deflated.Rsv1, bomb));

        (await peer.CloseAsync()).Code.Should().Be(1009);
        (await other.SayAsync(900, "still here")).Flag("success").Should().BeTrue();
    }

    private async Task<ChatPeer> LoginAsync(TestNode node, long user, WebSocketDeflateOptions? deflate)
    {
        var peer = await ChatPeer.OpenAsync(node.Url, configure: options => options.DangerousDeflateOptions = deflate);
        await peer.SendAsync(new { type = "auth", token = await chat.Sessions.LoginAsync(user), rooms = new[] { new { room_id = 900 } } });
        await peer.UntilAsync(frame => frame.Type() == "joined");
        return peer;
    }
}
