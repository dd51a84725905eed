using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Outbox;

/// <summary>What is to be saved and is not as a node has written it there.</summary>
public sealed class OddEntriesTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const int Limit = 60_000;

    private IDatabase Database => chat.Connection.GetDatabase();

    [Theory(Timeout = Limit)]
    [InlineData(880, "b", "no record")]
    [InlineData(881, "b", "m 8 2 0000000000000001\n{\"type\":\"}")]
    [InlineData(882, "x", "y")]
    public async Task An_entry_of_a_log_that_cannot_be_read_is_a_dead_letter_and_the_room_goes_on(long roomId, string name, string value)
    {
        var room = new RoomKey(TestSessions.Company, roomId);
        var keys = new RedisKeys(RedisOptions.DefaultPartitions);
        await using var node = await RedisNode.ConnectAsync(chat.Redis);
        await using var sender = await chat.LoginAsync(1, roomId);
        await sender.SayAsync(roomId, "first");
        await sender.ToldAsync("info_chat");
        var dead = await Database.StreamLengthAsync(RedisKeys.DeadLetters(keys.PartitionOf(room)));

        await Database.StreamAddAsync(keys.Log(room), [new(name, value)], "2-0");
        await Database.HashSetAsync(keys.Room(room), "seq", 2);
        await Database.SortedSetAddAsync(RedisKeys.Unsaved(keys.PartitionOf(room)), RedisKeys.Member(room), 1);
        await sender.SayAsync(roomId, "good");

        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("good");
        (await Database.StreamLengthAsync(RedisKeys.DeadLetters(keys.PartitionOf(room)))).Should().Be(dead + 1);
        (await node.Outbox.UnsavedOfAsync(room)).Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Names_of_no_room_among_those_that_have_something_to_save_hold_up_nobody()
    {
        var unsaved = RedisKeys.Unsaved(new RedisKeys(RedisOptions.DefaultPartitions).PartitionOf(new(TestSessions.Company, 883)));
        await Database.SortedSetAddAsync(unsaved, [new("nobody", 1), new("3:x", 2), new("3:883:1", 3), new("3:99883", 4)]);
        await using var sender = await chat.LoginAsync(1, 883);

        await sender.SayAsync(883, "good");

        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("good");
    }
}
