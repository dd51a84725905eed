using System.Net.WebSockets;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Frames that a client should not have sent: each gets its error, and the connection goes on.</summary>
public sealed class RefusedFrameTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const long Room = 300;

    [Theory]
    [InlineData("no JSON", "bad_frame", null, null)]
    [InlineData("", "bad_frame", null, null)]
    [InlineData("[]", "bad_frame", null, null)]
    [InlineData("null", "bad_frame", null, null)]
    [InlineData("{", "bad_frame", null, null)]
    [InlineData("{}", "bad_frame", null, null)]
    [InlineData("""{"type":"ping"} {"type":"ping"}""", "bad_frame", null, null)]
    [InlineData("""{"type":"ping",}""", "bad_frame", null, null)]
    [InlineData("""{"type":7,"room_id":300,"identifier":"i"}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":null}""", "bad_frame", null, null)]
    [InlineData("""{"type":"\ud800","room_id":300}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"\ud800 a type that is too long to be taken for one of ours","room_id":300}""", "bad_frame", 300L, null)]
    [InlineData("""{"\ud800":1,"type":"ping","room_id":300}""", "bad_frame", 300L, null)]
    [InlineData("""{"room_id":300,"identifier":"i","type":""}""", "bad_frame", 300L, "i")]
    [InlineData("""{"room_id":300,"identifier":"i"}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"auth","token":"x"}""", "bad_frame", null, null)]
    [InlineData("""{"type":"chat","identifier":"i","body":"x"}""", "bad_frame", null, "i")]
    [InlineData("""{"type":"chat","room_id":"300","identifier":"i","body":"x"}""", "bad_frame", null, "i")]
    [InlineData("""{"type":"chat","room_id":300,"body":"x"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"","body":"x"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"chat","room_id":300,"identifier":7,"body":"x"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"\udc00","body":"x"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i"}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":""}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":null}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":["x"]}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":"\ud800"}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"chat","body":"\udc00\ud800","room_id":300,"identifier":"i"}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"file","room_id":300,"identifier":"i","name":"a\ud83d","size":1}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"file","room_id":300,"identifier":"i","name":"\udc00.txt","size":1}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"file","room_id":300,"identifier":"i","name":"a","content_type":"\ud83d","size":1}""", "bad_frame", 300L, "i")]
    [InlineData("""{"type":"file","room_id":300,"identifier":"\ud83d","name":"a","size":1}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"cancel","room_id":300,"identifier":"\ud83d"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"join","room_id":300,"epoch":"\ud83d"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"join","room_id":300,"name":"\ud83d","since":"\ud83d"}""", "bad_frame", 300L, null)]
    [InlineData("""{"type":"ping","token":"\ud83d"}""", "bad_frame", null, null)]
    [InlineData("""{"type":"ping","user_id":"\ud83d"}""", "identity_mismatch", null, null)]
    [InlineData("""{"type":"dance","room_id":300,"identifier":"i"}""", "unknown_type", 300L, "i")]
    [InlineData("""{"type":"Chat","room_id":300,"identifier":"i","body":"x"}""", "unknown_type", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":301,"identifier":"i","body":"x"}""", "not_in_room", 301L, "i")]
    [InlineData("""{"type":"leave","room_id":301}""", "not_in_room", 301L, null)]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":"x","user_id":2}""", "identity_mismatch", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":"x","user_id":"2"}""", "identity_mismatch", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":"x","user_id":true}""", "identity_mismatch", 300L, "i")]
    [InlineData("""{"type":"chat","room_id":300,"identifier":"i","body":"x","user_id":1,"company_id":4}""", "identity_mismatch", 300L, "i")]
    [InlineData("""{"type":"join","room_id":300,"company_id":4}""", "identity_mismatch", 300L, null)]
    public async Task A_wrong_frame_gets_its_error_with_the_room_and_identifier_that_it_names(
        string frame, string code, long? room, string? identifier)
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(1), Room);
        await peer.SendTextAsync(frame);

        var error = await peer.ErrorAsync(code);
        error["room_id"]?.GetValue<long>().Should().Be(room);
        error.Text("identifier").Should().Be(identifier);
        (room is null).Should().Be(!error.ContainsKey("room_id"));
        (identifier is null).Should().Be(!error.ContainsKey("identifier"));
        (await peer.DrainAsync()).Should().BeEmpty("the connection goes on, and one error is enough");
    }

    [Fact]
    public async Task A_foreign_identity_is_refused_in_the_words_of_the_contract()
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(1), Room);
        await peer.SendAsync(
            new { type = "chat", room_id = Room, identifier = "i", body = "x", user_id = 2, company_id = TestSessions.Company });

        (await peer.ErrorAsync("identity_mismatch")).Text("message").Should().Be("User or Company id is not correct");
    }

    [Fact]
    public async Task The_own_identity_may_be_said()
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(1), 302);
        await peer.SendAsync(
            new { type = "chat", room_id = 302, identifier = "numbers", body = "x", user_id = 1, company_id = TestSessions.Company });
        await peer.SendAsync(new { type = "chat", room_id = 302, identifier = "digits", body = "x", user_id = "1", company_id = "3" });
        await peer.SendAsync(new { type = "chat", room_id = 302, identifier = "null", body = "x", user_id = (long?)null });

        foreach (var identifier in new[] { "numbers", "digits", "null" })
        {
            (await peer.FindAsync("ack")).Text("identifier").Should().Be(identifier);
        }
    }

    [Fact]
    public async Task An_identifier_of_129_characters_is_a_bad_frame()
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(1), Room);
        await peer.ChatAsync(Room, new string('i', 129), "x");

        (await peer.ErrorAsync("bad_frame")).Number("room_id").Should().Be(Room);
    }

    [Fact]
    public async Task Bytes_that_belong_to_no_file_are_a_bad_frame()
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(1));
        await peer.SendBytesAsync(new byte[100_000], WebSocketMessageType.Binary);

        await peer.ErrorAsync("bad_frame");
        (await peer.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task By_default_sixty_frames_may_come_at_once_and_twenty_a_second_follow()
    {
        await using var node = await chat.StartNodeAsync(("RATE_LIMIT", ""));
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(3), 303);
        for (var number = 1; number <= 75; number++)
        {
            await peer.ChatAsync(303, $"{number}", "x");
        }

        var answers = await peer.UntilAsync(frame => frame.Text("identifier") == "75");
        var refused = answers.Where(frame => frame.Type() == "info").ToList();
        refused.Should().NotBeEmpty().And.OnlyContain(frame => frame.Text("code") == "rate_limited" && frame.Number("room_id") == 303);
        await Task.Delay(1500);
        (await peer.SayAsync(303, "later")).Number("seq").Should()
            .BeInRange(61, 75 + 1, "sixty were taken, the rest was not, and patience pays");
    }

    [Fact]
    public async Task Whoever_goes_on_after_being_told_is_shown_out()
    {
        await using var node = await chat.StartNodeAsync(("RATE_LIMIT", "1"), ("RATE_BURST", "5"));
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(4));
        try
        {
            for (var number = 0; number < 100; number++)
            {
                await peer.SendAsync(new { type = "ping" });
            }
        }
        catch (WebSocketException)
        {
            // The server may close while this is still sending.
        }

        (await peer.Closed).Should().Be((4002, "rate_limited"));
        var types = new List<string>();
        while (peer.TryNext(out var frame))
        {
            types.Add(frame!.Text("code") ?? frame!.Type());
        }

        types.Take(5).Should().AllBe("pong");
        types.Should().Contain("rate_limited", "it is told before it is shown out");
    }
}
