using System.Net.WebSockets;
using System.Text;
using System.Text.Json.Nodes;
using ChatServer.Sessions;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class FirstFrameTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Fact]
    public async Task The_bare_token_is_enough_and_the_answer_tells_everything()
    {
        var token = await chat.Sessions.LoginAsync(1, roomIds: "[12,15]", timeToLive: TimeSpan.FromSeconds(1000));
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendTextAsync(token);

        var answer = await peer.NextAsync("auth");
        answer.Select(member => member.Key).Should().BeEquivalentTo(
            ["type", "success", "user_id", "company_id", "connection_id", "session_expires_in", "rooms", "ping_interval"]);
        answer.Flag("success").Should().BeTrue();
        answer.Number("user_id").Should().Be(1);
        answer.Number("company_id").Should().Be(TestSessions.Company);
        answer.Text("connection_id").Should().NotBeNullOrEmpty();
        answer.Number("session_expires_in").Should().BeInRange(980, 1000);
        answer.Numbers("rooms").Should().Equal(12, 15);
        answer.Number("ping_interval").Should().Be(25);
        long[] joined = [(await peer.NextAsync("joined")).Number("room_id"), (await peer.NextAsync("joined")).Number("room_id")];
        joined.Should().BeEquivalentTo([12, 15], "each room answers when it is ready");
        (await peer.DrainAsync()).Should().BeEmpty();
    }

    [Theory]
    [InlineData("{0}")]
    [InlineData(" \r\n\t{0}\n")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\"}")]
    [InlineData("  { \"token\" : \"{0}\", \"unknown\":[{}], \"type\":\"auth\" } ")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":null}")]
    public async Task A_token_may_come_bare_or_in_an_auth_frame(string frame)
    {
        var token = await chat.Sessions.LoginAsync(2);

        await AssertAcceptedAsync(frame.Replace("{0}", token, StringComparison.Ordinal), 2);
    }

    [Fact]
    public async Task Every_way_to_write_a_token_is_understood()
    {
        // A key whose base64 has every difference between the alphabets, and padding.
        const string key = "??>>~~_3_44";
        await chat.Sessions.StoreAsync(key, TestSessions.Record(44));
        var standard = TestSessions.Token(key);
        standard.Should().ContainAny("/", "+").And.EndWith("=");
        var url = standard.Replace('+', '-').Replace('/', '_');
        foreach (var token in new[]
        {
            standard, standard.TrimEnd('='), url, url.TrimEnd('='), "??>>~~_" + TestSessions.Token("3_44"), "??>>~~_"
                + TestSessions.Token("3_44").TrimEnd('='),
        })
        {
            await AssertAcceptedAsync(token, 44);
        }
    }

    [Fact]
    public async Task Unknown_expired_and_deleted_sessions_and_malformed_tokens_get_one_and_the_same_answer()
    {
        await chat.Sessions.LoginAsync(3, timeToLive: TimeSpan.FromMilliseconds(50));
        await chat.Sessions.LoginAsync(4);
        await chat.Sessions.LogoutAsync(4);
        await chat.Connection.GetDatabase().StringSetAsync("secret", TestSessions.Record(5));
        await chat.Connection.GetDatabase().ListRightPushAsync("list_3_5", "x");
        await Eventually.TrueAsync(
            () => !chat.Connection.GetDatabase().KeyExists(TestSessions.Key(3)), ChatPeer.Patience, () => "the session lives on");
        var answers = new List<string>();
        foreach (var token in new[]
        {
            TestSessions.Token("nobody_3_5"), TestSessions.Token(
                TestSessions.Key(3)), TestSessions.Token(TestSessions.Key(4)), TestSessions.Token("secret"), TestSessions.Token("list_3_5"),
            TestSessions.Token("x_0_5"), TestSessions.Token("x_3_-5"), TestSessions.Token("_3_5"),
            TestSessions.Token("x_3_99999999999999999999"), "no token", "\"quoted\"", "[1]", "12", "{", "",
            "   ", new string('A', 4096),
        })
        {
            await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
            await peer.SendTextAsync(token);
            answers.Add((await peer.NextAsync("auth")).ToJsonString());
            (await peer.Closed).Should().Be((4500, "invalid_token"), "the token is {0}", token);
        }

        answers.Distinct().Should().ContainSingle();
        var answer = JsonNode.Parse(answers[0])!.AsObject();
        answer.Select(member => member.Key).Should().BeEquivalentTo(["type", "success", "code", "message"]);
        answer.Flag("success").Should().BeFalse();
        answer.Text("code").Should().Be("invalid_token");
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("{\"type\":\"auth\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":7}")]
    [InlineData("{\"type\":\"auth\",\"token\":null}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"\\ud800\"}")]
    [InlineData("{\"type\":\"chat\",\"token\":\"{0}\"}")]
    [InlineData("{\"type\":\"ping\"}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":12}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[{\"room_id\":\"12\"}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[{\"room_id\":0}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[null]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[{\"room_id\":1,\"since\":-1}]}")]
    [InlineData("{\"type\":\"auth\",\"token\":\"{0}\",\"rooms\":[{\"room_id\":1,\"since\":1,\"epoch\":\"\\ud800\"}]}")]
    public async Task JSON_that_is_no_auth_with_a_token_is_an_unusable_first_frame(string frame)
    {
        var token = await chat.Sessions.LoginAsync(6);
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendTextAsync(frame.Replace("{0}", token, StringComparison.Ordinal));

        (await peer.Closed).Should().Be((4501, "bad_frame"));
    }

    [Fact]
    public async Task A_first_frame_may_have_4_KiB_and_no_byte_more()
    {
        var token = await chat.Sessions.LoginAsync(7);
        await AssertAcceptedAsync(token.PadRight(4096), 7);

        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendTextAsync(token.PadRight(4097));
        (await peer.Closed).Should().Be((4501, "bad_frame"));
    }

    [Theory]
    [InlineData(10)]
    [InlineData(5000)]
    public async Task A_binary_first_frame_is_unusable(int length)
    {
        await using var peer = await ChatPeer.OpenAsync(chat.Node.Url);
        await peer.SendBytesAsync(new byte[length], WebSocketMessageType.Binary);

        (await peer.Closed).Should().Be((4501, "bad_frame"));
        peer.TryNext(out var frame).Should().BeFalse("nobody is known yet who could be told {0}", frame?.ToJsonString());
    }

    /// <summary>Whole, a compressed one would be kept until it ends.</summary>
    [Fact]
    public async Task A_binary_first_frame_is_refused_by_its_header()
    {
        await using var peer = await RawPeer.OpenAsync(chat.Node.Port);
        await peer.SendAsync(ClientFrames.Header(0x82, 1000));

        (await peer.CloseAsync()).Should().Be((4501, "bad_frame"));
    }

    [Fact]
    public async Task Whoever_says_nothing_is_shown_out()
    {
        await using var node = await chat.StartNodeAsync(("AUTH_TIMEOUT", "1"));
        await using var silent = await ChatPeer.OpenAsync(node.Url);
        await using var known = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(8));
        var start = TimeProvider.System.GetTimestamp();

        (await silent.Closed).Should().Be((4502, "auth_timeout"));
        TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(TimeSpan.FromSeconds(3));
        (await known.DrainAsync()).Should().BeEmpty("those who have authenticated are left alone");
    }

    [Fact]
    public async Task Records_in_base64_are_understood()
    {
        await using var node = await chat.StartNodeAsync(("SESSION_ENCRYPTION", "base64"));
        await chat.Sessions.StoreAsync("b64_3_9", Convert.ToBase64String(Encoding.UTF8.GetBytes(TestSessions.Record(9))));
        await chat.Sessions.StoreAsync("plain_3_9", TestSessions.Record(9));

        await AssertAcceptedAsync(TestSessions.Token("b64_3_9"), 9, node);
        await AssertRefusedAsync(TestSessions.Token("plain_3_9"), node);
    }

    [Fact]
    public async Task Records_under_Fernet_are_understood_through_a_rotation_of_keys()
    {
        const string oldKey = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";
        const string newKey = "MTIzNDU2Nzg5MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTI=";
        await using var before = await chat.StartNodeAsync(("SESSION_ENCRYPTION", "fernet"), ("FERNET_KEYS", oldKey));
        await using var after = await chat.StartNodeAsync(("SESSION_ENCRYPTION", "fernet"), ("FERNET_KEYS", $"{newKey},{oldKey}"));
        await chat.Sessions.StoreAsync("old_3_10", Encrypt(oldKey, TestSessions.Record(10)));
        await chat.Sessions.StoreAsync("new_3_10", Encrypt(newKey, TestSessions.Record(10)));
        await chat.Sessions.StoreAsync("plain_3_10", TestSessions.Record(10));

        await AssertAcceptedAsync(TestSessions.Token("old_3_10"), 10, before);
        await AssertAcceptedAsync(TestSessions.Token("old_3_10"), 10, after);
        await AssertAcceptedAsync(TestSessions.Token("new_3_10"), 10, after);
        await AssertRefusedAsync(TestSessions.Token("new_3_10"), before);
        await AssertRefusedAsync(TestSessions.Token("plain_3_10"), after);
    }

    [Theory]
    [InlineData("{\"token_key\":\"t\",\"user\":{\"id\":12},\"company\":{\"id\":3}}")]
    [InlineData("{\"token_key\":\"t\",\"user\":{\"id\":11},\"company\":{\"id\":4}}")]
    [InlineData("{\"token_key\":\"t\",\"user\":{\"id\":11},\"company\":{\"id\":3},\"user_id\":12}")]
    [InlineData("{\"token_key\":\"t\",\"user\":{\"id\":11}}")]
    [InlineData("{\"user\":{\"id\":11},\"company\":{\"id\":3}}")]
    [InlineData("[]")]
    [InlineData("")]
    public async Task A_record_that_does_not_agree_with_its_key_lets_nobody_in(string record)
    {
        await chat.Sessions.StoreAsync("odd_3_11", record);

        await AssertRefusedAsync(TestSessions.Token("odd_3_11"));
    }

    [Fact]
    public async Task Ids_on_the_top_level_of_the_record_count_too()
    {
        await chat.Sessions.StoreAsync("flat_3_11", "{\"token_key\":\"t\",\"user_id\":11,\"company_id\":3}");

        await AssertAcceptedAsync(TestSessions.Token("flat_3_11"), 11);
    }

    [Fact]
    public async Task The_twenty_first_connection_of_a_user_is_one_too_many_until_another_goes()
    {
        var token = await chat.Sessions.LoginAsync(13);
        var peers = new List<ChatPeer>();
        for (var count = 0; count < 20; count++)
        {
            peers.Add(await ChatPeer.LoginAsync(chat.Node.Url, token));
        }

        await using (var oneTooMany = await ChatPeer.OpenAsync(chat.Node.Url))
        {
            await oneTooMany.SendTextAsync(token);
            (await oneTooMany.NextAsync("auth")).Text("code").Should().Be("too_many_connections");
            (await oneTooMany.Closed).Should().Be((4504, "too_many_connections"));
        }

        await AssertAcceptedAsync(await chat.Sessions.LoginAsync(14), 14);
        await peers[0].DisposeAsync();
        await Eventually.TrueAsync(
            () => chat.Node.Connections.OfUser(13).Count < 20, ChatPeer.Patience, () => "the place of the one who left is not free");
        await AssertAcceptedAsync(token, 13);
        foreach (var peer in peers)
        {
            await peer.DisposeAsync();
        }
    }

    [Fact]
    public async Task Nothing_is_handled_before_success_and_what_lies_behind_the_auth_frame_is_handled_after_it()
    {
        var token = await chat.Sessions.LoginAsync(15);
        await using var peer = await RawPeer.OpenAsync(chat.Node.Port);
        await peer.SendTextAsync(
            $"{{\"type\":\"auth\",\"token\":\"{token}\"}}", "{\"type\":\"join\",\"room_id\":1500}",
            "{\"type\":\"chat\",\"room_id\":1500,\"identifier\":\"behind\",\"body\":\"" + new string('x', 5000) + "\"}",
            "{\"type\":\"ping\"}");

        (await peer.TextAsync()).Should().Contain("\"auth\"").And.Contain("true");

        // A pong, unlike what a room says, waits for nothing.
        var rest = new[] { await peer.TextAsync(), await peer.TextAsync(), await peer.TextAsync() };
        rest.Should().ContainSingle(text => text.Contains("\"pong\""));
        rest.Where(text => !text.Contains("\"pong\"")).Should().SatisfyRespectively(
            joined => joined.Should().Contain("\"joined\"").And.Contain("1500"),
            ack => ack.Should().Contain("\"ack\"").And.Contain("\"behind\""));
    }

    [Fact]
    public async Task What_lies_behind_a_refused_token_is_not_handled()
    {
        await using var witness = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(16), 1600);
        await using var peer = await RawPeer.OpenAsync(chat.Node.Port);
        await peer.SendTextAsync(
            "refused", await chat.Sessions.LoginAsync(17), "{\"type\":\"join\",\"room_id\":1600}",
            "{\"type\":\"chat\",\"room_id\":1600,\"identifier\":\"never\",\"body\":\"x\"}", "{\"type\":\"ping\"}");

        (await peer.TextAsync()).Should().Contain("invalid_token");
        (await peer.CloseAsync()).Should().Be((4500, "invalid_token"));
        (await witness.SayAsync(1600, "first")).Number("seq").Should().Be(1, "the chat of one who is not known counts for nothing");
    }

    [Fact]
    public async Task Without_Redis_a_session_can_not_be_checked_and_the_client_may_come_back()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var node = await TestNode.StartAsync(redis, chat.Quantum.Url);
        await redis.StopAsync();
        await using var peer = await ChatPeer.OpenAsync(node.Url);
        await peer.SendTextAsync(TestSessions.Token("any_3_18"));

        (await peer.NextAsync("auth")).Text("code").Should().Be("unavailable");
        (await peer.Closed).Should().Be((4004, "unavailable"));
    }

    private async Task AssertAcceptedAsync(string frame, long user, TestNode? node = null)
    {
        await using var peer = await ChatPeer.OpenAsync((node ?? chat.Node).Url);
        await peer.SendTextAsync(frame);
        var answer = await peer.NextAsync("auth");
        answer.Flag("success").Should().BeTrue("the frame is {0}", frame);
        answer.Number("user_id").Should().Be(user);
    }

    private async Task AssertRefusedAsync(string token, TestNode? node = null)
    {
        await using var peer = await ChatPeer.OpenAsync((node ?? chat.Node).Url);
        await peer.SendTextAsync(token);
        (await peer.NextAsync("auth")).Text("code").Should().Be("invalid_token");
        (await peer.Closed).Should().Be((4500, "invalid_token"));
    }

    private static string Encrypt(string key, string text)
    {
        Fernet.TryReadKey(key, out var bytes).Should().BeTrue();
        return new Fernet([bytes!], TimeProvider.System).Encrypt(Encoding.UTF8.GetBytes(text));
    }
}
