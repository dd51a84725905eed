using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace ChatServer.Tests.EndToEnd;

public sealed class PersistTests(TwoNodes chat) : IClassFixture<TwoNodes>
{
    [Fact]
    public async Task Quantum_gets_the_fields_and_headers_of_its_API()
    {
        await using var sender = await LoginAsync(1, 500);
        await sender.SayAsync(500, "a 1/ż", "a + b & c = 100 %");
        await sender.ToldAsync("info_chat");

        var call = Calls(500).Should().ContainSingle().Which;
        call.Should().BeEquivalentTo(
            new SaveCall(TestSessions.Company, 500, 1, "a 1/ż", "a + b & c = 100 %", "Token rest-1", "3:500:1:a%201%2F%C5%BC", default),
            options => options.Excluding(it => it.At));
    }

    [Fact]
    public async Task All_connections_of_the_sender_learn_that_it_is_saved_and_so_do_the_rooms_other_users_in_their_way()
    {
        await using var sender = await LoginAsync(2, 501);
        await using var sendersTab = await LoginAsync(2);
        await using var sendersPhone = await LoginAsync(2, chat.Second, 501);
        await using var other = await LoginAsync(3, chat.Second, 501);
        await using var elsewhere = await LoginAsync(4, 502);
        var ack = await sender.SayAsync(501, "a1");

        foreach (var peer in new[] { sender, sendersTab, sendersPhone })
        {
            var info = await peer.ToldAsync("info_chat");
            info.Select(member => member.Key).Should().BeEquivalentTo(
                ["type", "success", "message", "room_id", "identifier", "seq", "id", "timestamp", "discussion_date", "discussion_time"]);
            info.Flag("success").Should().BeTrue();
            info.Text("message").Should().Be("Message sent out successfully");
            info.Number("room_id").Should().Be(501);
            info.Text("identifier").Should().Be("a1");
            info.Number("seq").Should().Be(ack.Number("seq"));
            info.Number("id").Should().BeGreaterThan(9000);
            info.Text("timestamp").Should().Be("2026-01-01T10:02:00.000Z");
            info.Text("discussion_date").Should().Be("Today");
            info.Text("discussion_time").Should().Be("10:02 AM");
        }

        var saved = await other.ToldAsync("saved");
        saved.Number("room_id").Should().Be(501);
        var entry = saved["saved"]!.AsArray().Should().ContainSingle().Which!.AsObject();
        entry.Number("seq").Should().Be(ack.Number("seq"));
        entry.Text("identifier").Should().Be("a1");
        entry.Number("id").Should().BeGreaterThan(9000);

        await other.SayAsync(501, "marker");
        foreach (var peer in new[] { sender, sendersPhone })
        {
            // Of the second message the first sender's connections hear "saved"; of their own they never do.
            (await peer.ToldAsync("saved"))["saved"]![0]!["identifier"]!.GetValue<string>().Should().Be("marker");
        }

        (await elsewhere.DrainAllAsync()).Should().BeEmpty();
        (await sendersTab.DrainAllAsync()).Should().BeEmpty("it is not in the room");
    }

    [Fact]
    public async Task When_a_node_stops_the_others_save_its_share_before_its_lease_would_have_run_out()
    {
        await using var own = await ChatFixture.StartAsync();
        var rooms = Enumerable.Range(550, 20).Select(room => (long)room).ToArray();
        var database = own.Connection.GetDatabase();
        RedisKey[] leases = [.. Enumerable.Range(0, RedisKeys.Lanes).Select(lane => (RedisKey)RedisKeys.Lease(lane))];
        await using (await own.StartNodeAsync())
        {
            await Eventually.TrueAsync(
                () => database.StringGet(leases).Distinct().Count(owner => owner.HasValue) == 2, OutboxOptions.LeaseTime,
                () => "the nodes don't share the work");
        }

        await using var sender = await own.LoginAsync(1, rooms);
        foreach (var room in rooms)
        {
            await sender.SayAsync(room, $"m{room}");
        }

        await own.Quantum.WaitForSavedAsync(rooms.Length).WaitAsync(OutboxOptions.LeaseTime / 2);
    }

    [Theory]
    [InlineData(200, """{"success":false,"message":"You are muted"}""", "You are muted")]
    [InlineData(400, """{"success":false,"message":"Too long"}""", "Too long")]
    [InlineData(403, """{"detail":"Invalid token."}""", "Invalid token.")]
    [InlineData(404, "<html>no</html>", null)]
    public async Task A_refusal_is_told_to_the_sender_in_Quantums_words_and_is_final(int status, string answer, string? words)
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = (call, context) => AnswerAsync(call.Identifier == "bad", context, status, answer);
        await using var sender = await own.LoginAsync(1, 510);
        await using var other = await own.LoginAsync(2, 510);
        var ack = await sender.SayAsync(510, "bad");
        await sender.SayAsync(510, "good");

        var info = await sender.ToldAsync("info");
        info.Flag("success").Should().BeFalse();
        info.Text("code").Should().Be("not_saved");
        info.Number("room_id").Should().Be(510);
        info.Text("identifier").Should().Be("bad");
        info.Number("seq").Should().Be(ack.Number("seq"));
        info.Text("message").Should().Be(words ?? info.Text("message")).And.NotBeEmpty();
        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("good");
        (await other.ToldAsync("saved"))["saved"]![0]!["identifier"]!.GetValue<string>().Should()
            .Be("good", "what is not saved is not said to be");
        own.Quantum.Calls.Count(call => call.Identifier == "bad").Should().Be(1, "a last word is not asked for twice");
    }

    [Theory]
    [InlineData(500, "oh")]
    [InlineData(502, "")]
    [InlineData(408, "{}")]
    [InlineData(429, "{}")]
    [InlineData(200, "<html>login</html>")]
    [InlineData(200, "{}")]
    [InlineData(200, """{"success":"yes"}""")]
    [InlineData(302, "")]
    [InlineData(0, "")]
    public async Task What_may_pass_is_tried_again_until_it_is_saved(int status, string answer)
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = (call, context) => AnswerAsync(own.Quantum.Calls.Count < 3, context, status, answer);
        await using var sender = await own.LoginAsync(1, 520);
        await sender.SayAsync(520, "a1");
        await sender.SayAsync(520, "a2");

        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("a1");
        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("a2");
        own.Quantum.Calls.Select(call => call.Identifier).Should().Equal("a1", "a1", "a1", "a2");
        own.Quantum.Saved.Select(call => call.Identifier).Should().Equal("a1", "a2");
    }

    [Fact]
    public async Task An_answer_that_is_lost_on_its_way_makes_no_second_row()
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.AnswersToLose = 2;
        await using var sender = await own.LoginAsync(1, 525);
        await sender.SayAsync(525, "a1");

        (await sender.ToldAsync("info_chat")).Number("id").Should().Be(9001);
        own.Quantum.Calls.Should().HaveCount(3);
        own.Quantum.Calls.Select(call => call.IdempotencyKey).Distinct().Should().ContainSingle();
        own.Quantum.Saved.Should().ContainSingle();
    }

    [Fact]
    public async Task Quantum_is_given_the_time_that_it_asks_for()
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = (_, context) =>
        {
            context.Response.Headers.RetryAfter = "2";
            return AnswerAsync(own.Quantum.Calls.Count < 2, context, 503, "");
        };
        await using var sender = await own.LoginAsync(1, 530);
        await sender.SayAsync(530, "a1");
        await sender.ToldAsync("info_chat");

        var calls = own.Quantum.Calls;
        calls.Should().HaveCount(2);
        (calls[1].At - calls[0].At).Should().BeGreaterThan(TimeSpan.FromSeconds(1.9));
    }

    [Fact]
    public async Task While_Quantum_is_down_the_chat_goes_on_and_everything_is_saved_in_order_when_it_is_back()
    {
        const int count = 30;
        await using var own = await ChatFixture.StartAsync();
        await using var one = await own.LoginAsync(1, 540, 541);
        await using var two = await own.LoginAsync(2, 540, 541);
        await own.Quantum.DisposeAsync();
        for (var number = 0; number < count; number++)
        {
            (await one.SayAsync(540, $"one{number}")).Number("seq").Should().Be((2 * number) + 1);
            (await two.SayAsync(540, $"two{number}")).Number("seq").Should().Be((2 * number) + 2);
            await one.SayAsync(541, $"other{number}");
        }

        await two.UntilMessageAsync($"other{count - 1}");
        await using var back = await QuantumServer.StartAsync(own.Quantum.Url.Port);
        var saved = await back.WaitForSavedAsync(3 * count, TimeSpan.FromSeconds(30));
        saved.Where(call => call.Room == 540).Select(call => call.Identifier).Should().Equal(
            Enumerable.Range(0, count).SelectMany(number => new[] { $"one{number}", $"two{number}" }));
        saved.Where(call => call.Room == 541).Select(call => call.Identifier).Should()
            .Equal(Enumerable.Range(0, count).Select(number => $"other{number}"));
    }

    [Fact]
    public async Task The_trouble_of_one_room_does_not_hold_up_the_others()
    {
        const int count = 20;
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = (call, context) => AnswerAsync(call.Room == 550, context, 500, "");
        await using var sender = await own.LoginAsync(1, [.. Enumerable.Range(550, 10).Select(room => (long)room)]);
        for (var number = 0; number < count; number++)
        {
            for (var room = 550; room < 560; room++)
            {
                await sender.SayAsync(room, $"{room}-{number}");
            }
        }

        var saved = await own.Quantum.WaitForSavedAsync(9 * count, TimeSpan.FromSeconds(20));
        saved.Should().NotContain(call => call.Room == 550);
        own.Quantum.Instead = (_, _) => Task.FromResult(false);
        saved = await own.Quantum.WaitForSavedAsync(10 * count, TimeSpan.FromSeconds(20));
        saved.Where(call => call.Room == 550).Select(call => call.Identifier).Should()
            .Equal(Enumerable.Range(0, count).Select(number => $"550-{number}"));
    }

    [Fact]
    public async Task Two_nodes_save_each_message_once_and_what_one_leaves_behind_the_other_saves()
    {
        const int count = 50;
        await using var own = await ChatFixture.StartAsync();
        var leaving = await own.StartNodeAsync();
        await using var here = await own.LoginAsync(1, 560);
        await using var there = await ChatPeer.LoginAsync(leaving.Url, await own.Sessions.LoginAsync(2), 561);
        await Task.WhenAll(SendAsync(here, 560), SendAsync(there, 561));
        await own.Quantum.WaitForSavedAsync(2 * count);
        own.Quantum.Calls.Should().HaveCount(2 * count, "nothing was saved twice");

        await there.DisposeAsync();
        await leaving.DisposeAsync();
        await here.SayAsync(560, "after");
        await own.Quantum.WaitForSavedAsync((2 * count) + 1, TimeSpan.FromSeconds(20));

        static async Task SendAsync(ChatPeer peer, long room)
        {
            for (var number = 0; number < count; number++)
            {
                await peer.SayAsync(room, $"{number}");
            }
        }
    }

    private async Task<ChatPeer> LoginAsync(long user, params long[] rooms) => await LoginAsync(user, chat.Node, rooms);

    private async Task<ChatPeer> LoginAsync(long user, TestNode node, params long[] rooms) =>
        await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), rooms);

    private IEnumerable<SaveCall> Calls(long room) => chat.Quantum.Calls.Where(call => call.Room == room);

    /// <param name="isMeant">False: Quantum answers as usual.</param>
    /// <param name="context">The call.</param>
    /// <param name="status">0: the connection is cut.</param>
    /// <param name="answer">The body.</param>
    private static async Task<bool> AnswerAsync(bool isMeant, HttpContext context, int status, string answer)
    {
        if (!isMeant)
        {
            return false;
        }

        if (status == 0)
        {
            context.Abort();
            return true;
        }

        context.Response.StatusCode = status;
        await context.Response.WriteAsync(answer);
        return true;
    }
}
