using System.Text.Json.Nodes;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class ChatTests(TwoNodes chat) : IClassFixture<TwoNodes>
{
    private const string Iso8601Milliseconds = @"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$";

    [Fact]
    public async Task A_message_has_the_shape_of_the_contract_on_every_node_and_its_sender_gets_the_ack_and_no_echo()
    {
        await using var sender = await LoginAsync(1, 200);
        await using var sendersTab = await LoginAsync(1, 200);
        await using var sendersPhone = await LoginAsync(1, chat.Second, 200);
        await using var near = await LoginAsync(2, 200);
        await using var far = await LoginAsync(3, chat.Second, 200);

        await sender.ChatAsync(200, "a1", "hello");
        var ack = await sender.NextAsync("ack");
        ack.Select(member => member.Key).Should().BeEquivalentTo(["type", "success", "room_id", "identifier", "seq", "timestamp"]);
        ack.Flag("success").Should().BeTrue();
        ack.Number("room_id").Should().Be(200);
        ack.Text("identifier").Should().Be("a1");
        ack.Number("seq").Should().Be(1);
        ack.Text("timestamp").Should().MatchRegex(Iso8601Milliseconds);

        foreach (var peer in new[] { sendersTab, sendersPhone, near, far })
        {
            var frame = (await peer.UntilMessageAsync("a1"))[^1];
            frame.Select(member => member.Key).Should().BeEquivalentTo(["type", "success", "messages"]);
            frame.Flag("success").Should().BeTrue();
            var message = frame.Messages().Should().ContainSingle().Which;
            JsonNode.DeepEquals(message, new JsonObject
            {
                ["type"] = "chat", ["room_id"] = 200, ["seq"] = 1, ["identifier"] = "a1", ["from_user_id"] = 1,
                    ["company_id"] = TestSessions.Company,
                ["body"] = "hello", ["timestamp"] = ack.Text("timestamp"),
            }).Should().BeTrue("it is {0}", message.ToJsonString());
        }

        await far.SayAsync(200, "marker");
        (await sender.UntilMessageAsync("marker")).Should().ContainSingle("the sender's own message does not come back");
    }

    [Fact]
    public async Task A_repeated_identifier_gets_the_first_ack_again_wherever_it_is_sent_and_nothing_happens_twice()
    {
        await using var witness = await LoginAsync(12, chat.Second, 210);
        await using var other = await LoginAsync(11, 210);
        JsonObject first;
        await using (var sender = await LoginAsync(10, 210))
        {
            first = await sender.SayAsync(210, "once", "first words");
            (await sender.SayAsync(210, "between")).Number("seq").Should().Be(2);
            (await sender.SayAsync(210, "once", "other words")).ToJsonString().Should().Be(first.ToJsonString());
        }

        await using var again = await LoginAsync(10, 210);
        (await again.SayAsync(210, "once")).ToJsonString().Should().Be(first.ToJsonString());
        await using var elsewhere = await LoginAsync(10, chat.Second, 210);
        (await elsewhere.SayAsync(210, "once")).ToJsonString().Should().Be(first.ToJsonString());

        (await other.SayAsync(210, "once", "mine")).Number("seq").Should().Be(3, "an identifier is its user's own");
        await using var third = await LoginAsync(10, 211);
        (await third.SayAsync(211, "once")).Number("seq").Should().Be(1, "and its room's");
        (await again.SayAsync(210, "last")).Number("seq").Should().Be(4);
        (await witness.UntilMessageAsync("last")).SelectMany(frame => frame.Messages()).Select(message => message.Text("body"))
            .Should().Equal("first words", "hello", "mine", "hello");
        await Eventually.TrueAsync(() => Calls(210).Length >= 4, ChatPeer.Patience, () => "four messages are to be saved");
        Calls(210).Should().Equal("first words", "hello", "mine", "hello");
    }

    [Theory]
    [InlineData("plain")]
    [InlineData("Zażółć gęślą jaźń, 漢字, עברית, \u0001\u001f\u007f\u0085\u2028")]
    [InlineData("👩‍👩‍👧‍👦 🏳️‍🌈 𝔘𝔫𝔦")]
    [InlineData("\" \\ / \b \f \n \r \t </script> {\"type\":\"ack\"}")]
    [InlineData("line 1\nline 2\r\n")]
    [InlineData(" ")]
    [InlineData("\uFEFF")]
    [InlineData("\uFFFD\uFFFF")]
    public async Task A_body_arrives_and_is_saved_as_it_was_sent(string body)
    {
        var room = 220 + (uint)StringComparer.Ordinal.GetHashCode(body);
        await using var sender = await LoginAsync(20, room);
        await using var other = await LoginAsync(21, chat.Second, room);

        // Escaped as System.Text.Json does it, then as little as JSON allows.
        await sender.SayAsync(room, "escaped", body);
        await sender.SendTextAsync($$"""{"type":"chat","room_id":{{room}},"identifier":"raw","body":"{{LeastEscaped(body)}}"}""");
        (await other.UntilMessageAsync("raw")).SelectMany(frame => frame.Messages()).Select(message => message.Text("body")).Should()
            .Equal(body, body);
        await Eventually.TrueAsync(() => Calls(room).Length >= 2, ChatPeer.Patience, () => "both are to be saved");
        Calls(room).Should().Equal(body, body);
    }

    [Fact]
    public async Task A_frame_may_have_64_KiB_and_a_larger_one_ends_the_connection()
    {
        await using var sender = await LoginAsync(22, 230);
        await using var other = await LoginAsync(23, 230);
        const string head = """{"type":"chat","room_id":230,"identifier":"big","body":""" + "\"";
        var body = new string('b', (64 * 1024) - head.Length - 2);
        await sender.SendTextAsync(head + body + "\"}");
        (await other.UntilMessageAsync("big"))[^1].Messages().Single().Text("body").Should().Be(body);

        await sender.SendTextAsync(head + body + "c\"}");
        (await sender.Closed).Should().Be((1009, "too_large"));
    }

    [Fact]
    public async Task A_frame_far_over_the_limit_ends_the_connection_with_a_word()
    {
        for (var attempt = 0; attempt < 5; attempt++)
        {
            await using var sender = await LoginAsync(24);
            try
            {
                await sender.SendTextAsync(new string('x', 4 * 1024 * 1024));
            }
            catch (System.Net.WebSockets.WebSocketException)
            {
                // The server need not take it to the end.
            }

            (await sender.Closed).Code.Should().Be(1009);
        }
    }

    [Fact]
    public async Task Text_that_is_not_UTF8_ends_the_connection()
    {
        await using var sender = await LoginAsync(25);
        await sender.SendBytesAsync([(byte)'"', 0xC3, 0x28, (byte)'"'], System.Net.WebSockets.WebSocketMessageType.Text);

        (await sender.Closed).Code.Should().Be(1007);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    public async Task Identifiers_have_up_to_128_characters_of_any_kind(int length)
    {
        await using var sender = await LoginAsync(26, 240);
        await using var other = await LoginAsync(27, chat.Second, 240);
        var identifier = string.Concat(Enumerable.Repeat("ż %:}\"\n漢", 20))[..length];

        (await sender.SayAsync(240, identifier)).Text("identifier").Should().Be(identifier);
        await other.UntilMessageAsync(identifier);
        await Eventually.TrueAsync(() => Call(240, identifier) is not null, ChatPeer.Patience, () => "it is to be saved");
        Call(240, identifier)!.IdempotencyKey.Should().Be($"{TestSessions.Company}:240:26:{Uri.EscapeDataString(identifier)}");
    }

    [Fact]
    public async Task Senders_on_two_nodes_get_their_seqs_without_a_hole_and_all_see_the_same_order()
    {
        const int each = 100;
        await using var one = await LoginAsync(30, 250);
        await using var two = await LoginAsync(31, chat.Second, 250);
        await using var reader = await LoginAsync(32, chat.Second, 250);
        var sending = Task.WhenAll(SendAsync(one, "one"), SendAsync(two, "two"));
        var seen = new List<JsonObject>();
        while (seen.Count < 2 * each)
        {
            seen.AddRange((await reader.FindAsync("chat")).Messages());
        }

        await sending;
        seen.Select(message => message.Number("seq")).Should().Equal(Enumerable.Range(1, 2 * each).Select(seq => (long)seq));
        foreach (var who in new[] { "one", "two" })
        {
            seen.Select(message => message.Text("identifier")!).Where(name => name.StartsWith(who, StringComparison.Ordinal))
                .Should().Equal(Enumerable.Range(0, each).Select(number => $"{who}{number}"));
        }

        static async Task SendAsync(ChatPeer peer, string name)
        {
            for (var number = 0; number < each; number++)
            {
                await peer.ChatAsync(250, $"{name}{number}", "x");
            }
        }
    }

    private async Task<ChatPeer> LoginAsync(long user, params long[] rooms) => await LoginAsync(user, chat.Node, rooms);

    private async Task<ChatPeer> LoginAsync(long user, TestNode node, params long[] rooms) =>
        await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), rooms);

    private string[] Calls(long room) => [.. chat.Quantum.Calls.Where(call => call.Room == room).Select(call => call.Content)];

    private SaveCall? Call(long room, string identifier) =>
        chat.Quantum.Calls.FirstOrDefault(call => call.Room == room && call.Identifier == identifier);

    private static string LeastEscaped(string text) => string.Concat(text.Select(c => c switch
    {
        '"' => "\\\"",
        '\\' => "\\\\",
        < ' ' => $"\\u{(int)c:x4}",
        _ => c.ToString(),
    }));
}
