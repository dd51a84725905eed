using System.Globalization;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using StackExchange.Redis;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Nobody stays connected whose session has ended, or whom Quantum disconnects.</summary>
public sealed class SessionEndTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private static readonly RedisChannel Control = RedisChannel.Literal("chat:control");

    [Fact]
    public async Task A_deleted_session_closes_its_sockets_at_once_if_redis_announces_it()
    {
        await using var redis = await RedisServer.StartAsync("--notify-keyspace-events", "Kgx");
        await using var connection = await redis.ConnectAsync();
        await using var node = await TestNode.StartAsync(redis, chat.Quantum.Url);
        var sessions = new TestSessions(connection);
        await using var gone = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(21), 800);
        await using var staying = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(22), 800);
        var started = TimeProvider.System.GetTimestamp();

        await sessions.LogoutAsync(21);

        (await gone.Closed).Should().Be((4503, "session_ended"));
        TimeProvider.System.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(5), "the re-check alone takes up to 30 s");
        (await staying.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task Keyspace_notifications_are_switched_on_only_if_the_operator_allows_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        async Task<string> FlagsAsync() => (await connection.GetServers()[0].ConfigGetAsync("notify-keyspace-events"))[0].Value;

        await using (await TestNode.StartAsync(redis, chat.Quantum.Url))
        {
            await Task.Delay(500);
            (await FlagsAsync()).Should().BeEmpty();
        }

        await using var node = await TestNode.StartAsync(redis, chat.Quantum.Url, ("CHAT_SET_KEYSPACE_EVENTS", "true"));
        await Eventually.TrueAsync(
            () => FlagsAsync().GetAwaiter().GetResult().Contains('K'), TimeSpan.FromSeconds(10), () => "the flags are set");
        var sessions = new TestSessions(connection);
        await using var peer = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(23), 800);

        await sessions.LogoutAsync(23);

        (await peer.Closed).Code.Should().Be(4503);
    }

    [Fact]
    public async Task A_session_that_nobody_tells_of_is_missed_at_the_re_check()
    {
        await using var node = await chat.StartNodeAsync(("SESSION_RECHECK", "1"));
        await using var gone = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(24), 801);
        await using var staying = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(25), 801);

        await chat.Sessions.LogoutAsync(24);

        (await gone.Closed).Should().Be((4503, "session_ended"));
        (await staying.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task An_expiring_session_closes_its_sockets_unless_quantum_has_prolonged_it()
    {
        await using var gone = await ChatPeer.LoginAsync(
            chat.Node.Url, await chat.Sessions.LoginAsync(26, timeToLive: TimeSpan.FromSeconds(2)), 802);
        await using var staying = await ChatPeer.LoginAsync(
            chat.Node.Url, await chat.Sessions.LoginAsync(27, timeToLive: TimeSpan.FromSeconds(2)), 802);
        await chat.Sessions.LoginAsync(27);

        (await gone.Closed).Should().Be((4503, "session_ended"));
        await Task.Delay(1500);
        (await staying.DrainAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task Quantum_orders_a_logout_and_a_disconnect_on_every_node()
    {
        await using var second = await chat.StartNodeAsync();
        var token = await chat.Sessions.LoginAsync(28);
        await using var one = await ChatPeer.LoginAsync(chat.Node.Url, token, 803);
        await using var two = await ChatPeer.LoginAsync(second.Url, token, 803);
        await using var other = await ChatPeer.LoginAsync(second.Url, await chat.Sessions.LoginAsync(29), 803);
        var publisher = chat.Connection.GetSubscriber();

        await publisher.PublishAsync(Control, $"{{\"type\":\"logout\",\"key\":\"{TestSessions.Key(28)}\"}}");

        (await one.Closed).Should().Be((4503, "session_ended"));
        (await two.Closed).Should().Be((4503, "session_ended"));
        (await other.DrainAsync()).Should().BeEmpty();

        await publisher.PublishAsync(Control, "not an order");
        await publisher.PublishAsync(Control, """{"type":"disconnect","user_id":29,"company_id":99}""");
        (await other.DrainAsync()).Should().BeEmpty("that is another company");
        await publisher.PublishAsync(Control, string.Create(
            CultureInfo.InvariantCulture, $"{{\"type\":\"disconnect\",\"user_id\":29,\"company_id\":{TestSessions.Company}}}"));
        (await other.Closed).Should().Be((4503, "session_ended"));
        second.Log.All.Should().Contain(line => line.Contains("[1010]"), "what is no order is told");
    }

    [Fact]
    public async Task Who_is_no_longer_a_member_is_put_out_of_the_room_and_hears_nothing_more_of_it()
    {
        const long Room = 804;
        await using var staying = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(31), Room);
        await using var leaving = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(32), Room);
        chat.Quantum.Members = room => room == Room ? [31] : [.. Enumerable.Range(1, 99).Select(user => (long)user)];

        await chat.Connection.GetSubscriber()
            .PublishAsync(Control, $"{{\"type\":\"members_changed\",\"company_id\":{TestSessions.Company},\"room_id\":{Room}}}");

        var left = await leaving.NextAsync("left");
        left["code"]!.GetValue<string>().Should().Be("removed");
        left["room_id"]!.GetValue<long>().Should().Be(Room);
        await staying.ChatAsync(Room, "a1", "just us");
        await staying.FindAsync("ack");
        (await leaving.DrainAsync()).Should().BeEmpty();
        await leaving.ChatAsync(Room, "b1", "am I still here?");
        await leaving.ErrorAsync("not_in_room");
        await leaving.SendAsync(new { type = "join", room_id = Room });
        await leaving.ErrorAsync("forbidden");
    }

    [Fact]
    public async Task The_answer_to_a_save_from_before_a_removal_brings_nobody_back()
    {
        const long Room = 805;
        await using var quantum = await QuantumServer.StartAsync();
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await TestNode.StartAsync(redis, quantum.Url);
        var sessions = new TestSessions(connection);
        quantum.Members = _ => [33, 34];
        await using var staying = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(33), Room);
        await using var leaving = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(34), Room);
        var (isSaving, go) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        quantum.Instead = async (_, context) =>
        {
            isSaving.TrySetResult();
            await go.Task;
            await context.Response.WriteAsJsonAsync(new { success = true, message = new { id = 1 }, user_ids = (long[])[33, 34] });
            return true;
        };
        await staying.SayAsync(Room, "a1");
        await isSaving.Task.WaitAsync(ChatPeer.Patience);
        quantum.Members = _ => [33];
        await connection.GetSubscriber()
            .PublishAsync(Control, $"{{\"type\":\"members_changed\",\"company_id\":{TestSessions.Company},\"room_id\":{Room}}}");
        await leaving.FindAsync("left");

        go.SetResult();
        await staying.ToldAsync("info_chat");

        await leaving.SendAsync(new { type = "join", room_id = Room });
        await leaving.ErrorAsync("forbidden");
    }
}
