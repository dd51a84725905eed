using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace ChatServer.Tests.Outbox;

/// <summary>Entries of the outbox that are not as a node has written them there, or not where.</summary>
public sealed class OddEntriesTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const int Limit = 60_000;

    private IDatabase Database => chat.Connection.GetDatabase();

    [Theory(Timeout = Limit)]
    [InlineData("null")]
    [InlineData("{}")]
    [InlineData("no JSON")]
    [InlineData("""{"type":"chat","room_id":880,"company_id":3,"seq":1,"from_user_id":1,"timestamp":""}""")]
    [InlineData("""{"type":"chat","room_id":0,"company_id":3,"seq":1,"identifier":"a","from_user_id":1,"timestamp":""}""")]
    public async Task An_entry_that_cannot_be_read_is_put_aside_and_its_partition_goes_on(string json)
    {
        await using var own = await ChatFixture.StartAsync();
        await using var sender = await own.LoginAsync(1, 880);
        var partition = new RedisKeys(RedisOptions.DefaultPartitions).PartitionOf(new(TestSessions.Company, 880));
        await own.Connection.GetDatabase().StreamAddAsync(RedisKeys.Outbox(partition), [new("m", json), new("t", "rest")]);

        await sender.SayAsync(880, "good");

        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("good");
        (await own.Connection.GetDatabase().StreamLengthAsync(RedisKeys.DeadLetters(partition))).Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task An_entry_below_those_that_were_read_is_saved()
    {
        await using var sender = await chat.LoginAsync(2, 881);
        await sender.SayAsync(881, "first");
        await sender.ToldAsync("info_chat");
        var outbox = RedisKeys.Outbox(new RedisKeys(RedisOptions.DefaultPartitions).PartitionOf(new(TestSessions.Company, 881)));
        await Database.KeyDeleteAsync(outbox);

        await Database.StreamAddAsync(outbox, Entry(new(TestSessions.Company, 881), 2, "low"), "5-1");

        (await sender.ToldAsync("info_chat")).Text("identifier").Should().Be("low");
    }

    [Fact(Timeout = Limit)]
    public async Task An_entry_below_those_that_wait_after_a_failure_is_found()
    {
        await using var node = await RedisNode.ConnectAsync(chat.Redis);
        const int partition = 1000;
        var outbox = RedisKeys.Outbox(partition);
        var (waiting, low) = (new RoomKey(3, 1), new RoomKey(3, 2));
        using var backlog = new PartitionBacklog(partition, node.Outbox, NullLogger<PartitionBacklog>.Instance);
        await Database.StreamAddAsync(outbox, Entry(waiting, 2, "m2"), "1000-0");
        var parked = (await backlog.ReadOnAsync(CancellationToken.None)).Should().ContainSingle().Which;
        (await backlog.FindStraysAsync(CancellationToken.None)).Should().BeEmpty("something may be under way");
        backlog.Rooms.Park(parked);
        await Database.KeyDeleteAsync(outbox);
        await Database.StreamAddAsync(outbox, Entry(low, 1, "low"), "5-0");
        await Database.StreamAddAsync(outbox, Entry(waiting, 1, "m1"), "6-0");
        await Database.StreamAddAsync(outbox, Entry(waiting, 2, "m2"), "1000-0");

        var found = (await backlog.FindStraysAsync(CancellationToken.None)).Should().ContainSingle().Which;

        (await backlog.NextAsync(found, CancellationToken.None))!.Message.Identifier.Should().Be("low");
        backlog.Rooms.Unpark(parked);
        (await backlog.NextAsync(parked, CancellationToken.None))!.Message.Identifier.Should().Be("m1");
        backlog.Rooms.Done(parked);
        (await backlog.NextAsync(parked, CancellationToken.None))!.Message.Identifier.Should().Be("m2");
        (await backlog.FindStraysAsync(CancellationToken.None)).Should().BeEmpty();
    }

    private static NameValueEntry[] Entry(RoomKey room, long seq, string identifier) =>
        [new("m", Drafts.Of(room, 2, identifier).Json.Number(seq).ToArray()), new("t", "rest-2")];
}
