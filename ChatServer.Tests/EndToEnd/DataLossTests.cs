using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Redis comes back without what it had: a new numbering begins, everybody is told, and nobody hangs.</summary>
public sealed class DataLossTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const long Room = 870;

    [Fact]
    public async Task Members_of_a_room_are_told_to_begin_anew_and_chat_on()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var one = await TestNode.StartAsync(redis, chat.Quantum.Url);
        await using var two = await TestNode.StartAsync(redis, chat.Quantum.Url);
        var sessions = new TestSessions(connection);
        await using var ada = await ChatPeer.LoginAsync(one.Url, await sessions.LoginAsync(51), Room);
        await using var ben = await ChatPeer.LoginAsync(two.Url, await sessions.LoginAsync(52), Room);
        for (var number = 1; number <= 3; number++)
        {
            await ada.ChatAsync(Room, $"before-{number}", "will be forgotten");
            (await ada.FindAsync("ack"))["seq"]!.GetValue<long>().Should().Be(number);
            await ben.FindAsync("chat");
        }

        await redis.StopAsync();
        await redis.StartAgainAsync();
        await sessions.LoginAsync(51);
        var token = await sessions.LoginAsync(52);

        var told = await ada.FindAsync("joined");
        told["recovered"]!.GetValue<bool>().Should().BeFalse();
        told["seq"]!.GetValue<long>().Should().Be(0);
        var epoch = (await ben.FindAsync("joined"))["epoch"]!.GetValue<string>();
        epoch.Should().Be(told["epoch"]!.GetValue<string>());
        await ada.ChatAsync(Room, "after-1", "anew");
        (await ada.FindAsync("ack"))["seq"]!.GetValue<long>().Should().Be(1);
        var message = (await ben.FindAsync("chat"))["messages"]![0]!;
        message["identifier"]!.GetValue<string>().Should().Be("after-1");
        message["seq"]!.GetValue<long>().Should().Be(1);

        await using var back = await ChatPeer.OpenAsync(one.Url);
        await back.SendAsync(new { type = "auth", token, rooms = new[] { new { room_id = Room, since = 3, epoch = "of old" } } });
        await back.NextAsync("auth");
        (await back.NextAsync("joined"))["recovered"]!.GetValue<bool>().Should().BeFalse();
    }

    /// <summary>A node that has seen more than what Redis still has tells its members, and no seq comes twice in an epoch.</summary>
    [Fact]
    public async Task Seqs_that_were_delivered_are_not_given_again_when_redis_goes_back_in_time()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await TestNode.StartAsync(redis, chat.Quantum.Url);
        var sessions = new TestSessions(connection);
        await using var ada = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(53), Room);
        var token = await sessions.LoginAsync(54);
        await using var ben = await ChatPeer.OpenAsync(node.Url);
        var epoch = await ResumeAsync(ben, token, 0, "none", isRecovered: false);
        await SayAsync(ada, ben, "m1", 1);
        await connection.GetDatabase().ExecuteAsync("SAVE");
        await SayAsync(ada, ben, "m2", 2);
        await SayAsync(ada, ben, "m3", 3);

        await redis.StopAsync();
        await redis.StartAgainAsync();
        var told = await ben.FindAsync("joined");
        told["recovered"]!.GetValue<bool>().Should().BeFalse();
        told["seq"]!.GetValue<long>().Should().Be(1, "that much Redis still has");
        await ada.FindAsync("joined");
        await SayAsync(ada, ben, "m4", 2);

        await using var sawOne = await ChatPeer.OpenAsync(node.Url);
        (await ResumeAsync(sawOne, token, 1, epoch, isRecovered: true)).Should().NotBe(epoch);
        (await sawOne.FindAsync("chat"))["messages"]![0]!["identifier"]!.GetValue<string>().Should().Be("m4");
        await using var sawAll = await ChatPeer.OpenAsync(node.Url);
        await ResumeAsync(sawAll, token, 3, epoch, isRecovered: false);
    }

    /// <summary>No node is left that has seen what Redis has lost: only the process that holds the data tells.</summary>
    [Fact]
    public async Task Who_saw_what_redis_lost_is_not_told_that_it_recovered_when_others_have_written_past_it()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        var sessions = new TestSessions(connection);
        var (first, token) = (await sessions.LoginAsync(55), await sessions.LoginAsync(56));
        string epoch;
        await using (var before = await TestNode.StartAsync(redis, chat.Quantum.Url))
        {
            await using var ada = await ChatPeer.LoginAsync(before.Url, first, Room);
            await using var ben = await ChatPeer.OpenAsync(before.Url);
            epoch = await ResumeAsync(ben, token, 0, "none", isRecovered: false);
            await SayAsync(ada, ben, "m1", 1);
            await connection.GetDatabase().ExecuteAsync("SAVE");
            await SayAsync(ada, ben, "m2", 2);
            await SayAsync(ada, ben, "m3", 3);
        }

        await redis.StopAsync();
        await redis.StartAgainAsync();
        await using var after = await TestNode.StartAsync(redis, chat.Quantum.Url);
        await using var cyd = await ChatPeer.LoginAsync(after.Url, first, Room);
        await using var dan = await ChatPeer.LoginAsync(after.Url, token, Room);
        for (var seq = 2; seq <= 4; seq++)
        {
            await SayAsync(cyd, dan, $"n{seq}", seq);
        }

        await using var sawAll = await ChatPeer.OpenAsync(after.Url);
        await ResumeAsync(sawAll, token, 3, epoch, isRecovered: false);
        await using var sawOne = await ChatPeer.OpenAsync(after.Url);
        await ResumeAsync(sawOne, token, 1, epoch, isRecovered: true);
        var missed = await sawOne.UntilMessageAsync("n4");
        missed.SelectMany(frame => frame["messages"]!.AsArray()).Select(message => message!["seq"]!.GetValue<long>())
            .Should().Equal(2, 3, 4);
    }

    [Fact]
    public async Task A_restart_of_redis_that_loses_nothing_costs_nobody_anything()
    {
        await using var redis = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always");
        await using var connection = await redis.ConnectAsync();
        await using var one = await TestNode.StartAsync(redis, chat.Quantum.Url);
        await using var two = await TestNode.StartAsync(redis, chat.Quantum.Url);
        var sessions = new TestSessions(connection);
        await using var ada = await ChatPeer.LoginAsync(one.Url, await sessions.LoginAsync(57), Room);
        var token = await sessions.LoginAsync(58);
        await using var ben = await ChatPeer.OpenAsync(two.Url);
        var epoch = await ResumeAsync(ben, token, 0, "none", isRecovered: false);
        await SayAsync(ada, ben, "m1", 1);
        await SayAsync(ada, ben, "m2", 2);

        await redis.StopAsync();
        await redis.StartAgainAsync();
        string said;
        do
        {
            await ada.ChatAsync(Room, "m3", "hello");
            said = (await ada.UntilAsync(frame => frame.Type() is "ack" or "info"))[^1].Type();
        }
        while (said == "info");

        var told = await ben.FindAsync("joined");
        told["recovered"]!.GetValue<bool>().Should().BeTrue("nothing was lost");
        told["seq"]!.GetValue<long>().Should().Be(2);
        (await ben.FindAsync("chat"))["messages"]![0]!["seq"]!.GetValue<long>().Should().Be(3);
        await using var back = await ChatPeer.OpenAsync(one.Url);
        (await ResumeAsync(back, token, 1, epoch, isRecovered: true)).Should().Be(told["epoch"]!.GetValue<string>()).And.NotBe(epoch);
        (await back.UntilMessageAsync("m3")).Count(frame => frame.Type() == "chat").Should().BePositive();
    }

    /// <returns>The epoch that it is told.</returns>
    private static async Task<string> ResumeAsync(ChatPeer peer, string token, long since, string epoch, bool isRecovered)
    {
        await peer.SendAsync(new { type = "auth", token, rooms = new[] { new { room_id = Room, since, epoch } } });
        await peer.NextAsync("auth");
        var joined = await peer.NextAsync("joined");
        joined["recovered"]!.GetValue<bool>().Should().Be(isRecovered);
        return joined["epoch"]!.GetValue<string>();
    }

    private static async Task SayAsync(ChatPeer sender, ChatPeer receiver, string identifier, long seq)
    {
        await sender.ChatAsync(Room, identifier, "hello");
        (await sender.FindAsync("ack"))["seq"]!.GetValue<long>().Should().Be(seq);
        (await receiver.FindAsync("chat"))["messages"]![0]!["identifier"]!.GetValue<string>().Should().Be(identifier);
    }
}
