using ChatServer.Redis;
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

    /// <summary>Restored from a copy that lacks the newest messages: the same epoch, and seqs that were given already.</summary>
    [Fact]
    public async Task Seqs_that_were_delivered_are_not_given_again_when_redis_goes_back_in_time()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var node = await TestNode.StartAsync(redis, chat.Quantum.Url);
        var sessions = new TestSessions(connection);
        await using var ada = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(53), Room);
        await using var ben = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(54), Room);
        for (var number = 1; number <= 3; number++)
        {
            await ada.ChatAsync(Room, $"m{number}", "hello");
            await ada.FindAsync("ack");
            await ben.FindAsync("chat");
        }

        var key = $"chat:{{{new RedisKeys(64).PartitionOf(new(TestSessions.Company, Room))}}}:room:{TestSessions.Company}:{Room}";
        await connection.GetDatabase().HashSetAsync(key, "seq", 1);
        await ada.ChatAsync(Room, "m4", "after the fall");

        (await ada.FindAsync("joined"))["recovered"]!.GetValue<bool>().Should().BeFalse();
        (await ada.FindAsync("ack"))["seq"]!.GetValue<long>().Should().Be(1);
        await ben.FindAsync("joined");
        (await ben.FindAsync("chat"))["messages"]![0]!["identifier"]!.GetValue<string>().Should().Be("m4");
    }
}
