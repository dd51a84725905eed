using System.Diagnostics;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Backplane;

public sealed class RedisBackplaneTests(RedisServer redis) : BackplaneContract, IClassFixture<RedisServer>, IAsyncLifetime
{
    private RedisNode? _node;

    private protected override IBackplane Backplane => Node.Backplane;

    private RedisNode Node => _node!;

    private protected override Task TellUserAsync(long user, byte[] json) =>
        Node.Database.PublishAsync(RedisChannel.Literal(RedisKeys.UserChannel(user)), json);

    public async ValueTask InitializeAsync() => _node = await RedisNode.ConnectAsync(redis);

    public ValueTask DisposeAsync() => Node.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Accept_ScriptsForgotten_WorksOn()
    {
        var room = Drafts.NewRoom();
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        await Backplane.ReadAsync(room, 0, 1);
        await Node.Database.ExecuteAsync("SCRIPT", "FLUSH");

        (await Backplane.AcceptAsync(Drafts.Of(room, 7, "a2"))).Seq.Should().Be(2);
        await Node.Database.ExecuteAsync("SCRIPT", "FLUSH");
        (await Backplane.ReadAsync(room, 0, 10)).Messages.Should().HaveCount(2);
    }

    [Theory(Timeout = Limit)]
    [InlineData("3-0", "x", "y")]
    [InlineData("3-0", "m", "no JSON", "o", "0000000000000001")]
    [InlineData("3-0", "m", "{\"type\":\"chat\"}", "o", "nobody")]
    [InlineData("3-0", "m", "", "o", "0000000000000001")]
    public async Task Read_AnEntryThatIsNoMessage_LeavesItOutAsAHole(string id, params string[] fields)
    {
        var room = Drafts.NewRoom();
        foreach (var number in Enumerable.Range(1, 6))
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{number}"));
        }

        var entries = await Node.Database.StreamRangeAsync(Node.Keys.Log(room));
        await Node.Database.KeyDeleteAsync(Node.Keys.Log(room));
        var foreign = fields.Chunk(2).Select(pair => new NameValueEntry(pair[0], pair[1])).ToArray();
        foreach (var entry in entries)
        {
            await Node.Database.StreamAddAsync(Node.Keys.Log(room), entry.Id == id ? foreign : entry.Values, entry.Id);
        }

        Seqs(await Backplane.ReadAsync(room, 0, 100)).Should().Equal([1, 2], "a page has no hole");
        Seqs(await Backplane.ReadAsync(room, 2, 100)).Should().Equal(4, 5, 6);
        Seqs(await Backplane.ReadAsync(room, 2, 1)).Should().Equal([4], "what can be read is, however small the page");
        (await Backplane.ReadAsync(room, 5, 100)).Head.Should().Be(6);

        static IEnumerable<long> Seqs(LogPage page) => page.Messages.Select(message => message.Seq);
    }

    [Theory(Timeout = Limit)]
    [InlineData(10, 100)]
    [InlineData(60_000, 12)]
    [InlineData(6_000, 88)]
    public async Task Read_LargeMessages_EndsThePageSoonAndTheNextGoesOn(int bytes, int messages)
    {
        var room = Drafts.NewRoom();
        for (var number = 1; number <= 100; number++)
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{number}", new string('x', bytes)));
        }

        var page = await Backplane.ReadAsync(room, 0, 100);

        page.Messages.Select(message => message.Seq).Should().Equal(Enumerable.Range(1, messages).Select(seq => (long)seq));
        (await Backplane.ReadAsync(room, messages, 3)).Messages.Select(message => message.Seq).Should()
            .Equal(Enumerable.Range(messages + 1, 3).Select(seq => (long)seq).Where(seq => seq <= 100));
    }

    [Fact(Timeout = Limit)]
    public async Task TwoNodes_OverOneRedis_ShareNumberingIdentifiersAndTraffic()
    {
        await using var other = await RedisNode.ConnectAsync(redis);
        var room = Drafts.NewRoom();
        var (here, there) = (new Heard(), new Heard());
        await using var mine = await Backplane.SubscribeAsync(room, here);
        await using var theirs = await other.Backplane.SubscribeAsync(room, there);

        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(number =>
            (number % 2 == 0 ? Backplane : other.Backplane).AcceptAsync(Drafts.Of(room, 1 + (number % 2), $"m{number}"))));
        var again = await other.Backplane.AcceptAsync(Drafts.Of(room, 1, "m0"));

        answers.Select(answer => answer.Seq).Order().Should().Equal(Enumerable.Range(1, 200).Select(seq => (long)seq));
        again.Should().Be(answers[0] with { IsRepeat = true });
        (await here.MessagesAsync(200)).Select(message => message.Seq).Should().BeInAscendingOrder();
        (await there.MessagesAsync(200)).Select(message => message.Seq).Should().BeInAscendingOrder();
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_RedisGone_FailsInTimeAndTheBatcherWorksAgainAfterwards()
    {
        await using var own = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(own);
        var room = Drafts.NewRoom();
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "before"));
        await own.StopAsync();

        for (var round = 0; round < 3; round++)
        {
            var started = Stopwatch.GetTimestamp();
            var posted = Enumerable.Range(0, 5).Select(number => node.Backplane.AcceptAsync(Drafts.Of(room, 7, $"r{round}n{number}")))
                .ToList();
            foreach (var one in posted)
            {
                await one.Invoking(task => task).Should().ThrowAsync<RedisUnavailableException>();
            }

            Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(2.5));
        }

        var read = Stopwatch.GetTimestamp();
        await node.Backplane.Awaiting(backplane => backplane.ReadAsync(room, 0, 1).AsTask())
            .Should().ThrowAsync<RedisUnavailableException>();
        await node.Backplane.Awaiting(backplane => backplane.NotifyRoomAsync(room, new(0, 0, "{}"u8.ToArray())).AsTask())
            .Should().ThrowAsync<RedisUnavailableException>();
        Stopwatch.GetElapsedTime(read).Should().BeLessThan(TimeSpan.FromSeconds(5));

        await own.StartAgainAsync();
        await Eventually.TrueAsync(() => node.Connection.IsConnected, TimeSpan.FromSeconds(10), () => "Redis is back, the node is not");
        (await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "after"))).IsRepeat.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task RedisIsSilent_AcceptFailsInTime()
    {
        await using var own = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(own);
        await using var operation = await own.ConnectAsync();
        var room = Drafts.NewRoom();
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "before"));
        await operation.GetDatabase().ExecuteAsync("CLIENT", "PAUSE", "4000", "ALL");

        var started = Stopwatch.GetTimestamp();
        await node.Backplane.Awaiting(backplane => backplane.AcceptAsync(Drafts.Of(room, 7, "a1")))
            .Should().ThrowAsync<RedisUnavailableException>();
        Stopwatch.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(2.5));
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_RedisIsFull_RefusesWithNothingHalfDoneAndReadingGoesOn()
    {
        await using var own = await RedisServer.StartAsync("--maxmemory-policy", "noeviction");
        await using var node = await RedisNode.ConnectAsync(own);
        var room = Drafts.NewRoom();
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "before"));
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");

        await node.Backplane.Awaiting(backplane => backplane.AcceptAsync(Drafts.Of(room, 7, "a1")))
            .Should().ThrowAsync<RedisUnavailableException>();

        (await node.Database.HashGetAsync(node.Keys.Room(room), "seq")).Should().Be(1);
        (await node.Database.StreamLengthAsync(node.Keys.Log(room))).Should().Be(1);
        (await node.Outbox.UnsavedOfAsync(room)).Should().ContainSingle();
        (await node.Database.KeyExistsAsync(node.Keys.Identifier(room, 7, "a1"))).Should().BeFalse();
        (await node.Backplane.ReadAsync(room, 0, 10)).Messages.Should().ContainSingle("who comes back can still read what was missed");
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
        (await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a1")))
            .Should().Match<Acceptance>(answer => answer.Seq == 2 && !answer.IsRepeat);
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_RedisLostItsData_BeginsANewEpochAndLeavesNoOldLog()
    {
        await using var own = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(own);
        var room = Drafts.NewRoom();
        var first = await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a2"));

        // The worst case: the numbering is gone, the log is still there.
        await node.Database.KeyDeleteAsync(node.Keys.Room(room));
        var second = await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a3"));

        second.Seq.Should().Be(1);
        second.Epoch.Should().NotBe(first.Epoch);
        (await node.Backplane.ReadAsync(room, 0, 10)).Messages.Should().ContainSingle();
    }

    [Fact(Timeout = Limit)]
    public async Task Keys_AllBeginWithChatCarryTheirPartitionAndExpireWhereTheyShould()
    {
        await using var own = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(own);
        var rooms = Enumerable.Range(1, 30).Select(id => new RoomKey(3, id)).ToList();
        foreach (var room in rooms)
        {
            await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a{9}1"));
            await node.Backplane.ReadAsync(room, 0, 1);
            await node.Outbox.TryLeaseAsync(RedisKeys.LaneOf(node.Keys.PartitionOf(room)));
        }

        var keys = node.Connection.GetServer(own.Endpoint).Keys(pattern: "*").Select(key => (string)key!).ToList();

        var partitions = rooms.Select(node.Keys.PartitionOf).Distinct().Count();
        var lanes = rooms.Select(node.Keys.PartitionOf).Select(RedisKeys.LaneOf).Distinct().Count();
        keys.Should().HaveCount((3 * rooms.Count) + partitions + lanes);
        keys.Should().AllSatisfy(key => key.Should().MatchRegex(@"^chat:\{[0-9]+\}:"));
        var one = rooms[0];
        keys.Where(key => key.Contains(":3:1:", StringComparison.Ordinal) || key.EndsWith(":3:1", StringComparison.Ordinal))
            .Should()
                .HaveCount(3).And.OnlyContain(key => key.StartsWith($"chat:{{{node.Keys.PartitionOf(one)}}}:", StringComparison.Ordinal));
        (await node.Database.KeyTimeToLiveAsync(node.Keys.Log(one))).Should().BeNull("what Quantum does not have yet never expires");
        (await node.Database.KeyTimeToLiveAsync(node.Keys.Identifier(one, 7, "a{9}1"))).Should()
            .BeGreaterThanOrEqualTo(TimeSpan.FromMinutes(5)).And.BeLessThanOrEqualTo(TimeSpan.FromMinutes(10));
        var empty = Drafts.NewRoom();
        await node.Backplane.ReadAsync(empty, 0, 1);
        (await node.Database.KeyTimeToLiveAsync(node.Keys.Room(empty))).Should()
            .BeCloseTo(TimeSpan.FromHours(24), TimeSpan.FromMinutes(1), "a room without a message leaves nothing behind");
        await node.Backplane.AcceptAsync(Drafts.Of(empty, 7, "a1"));
        (await node.Database.KeyTimeToLiveAsync(node.Keys.Room(empty))).Should().BeNull("its seqs must not be given again");
    }

    [Fact(Timeout = Limit)]
    public async Task Subscribe_ForeignPayloads_AreNobodys()
    {
        var room = Drafts.NewRoom();
        var heard = new Heard();
        await using var subscription = await Backplane.SubscribeAsync(room, heard);
        foreach (var payload in (string[])["", "hello", "m 1 e\n{}", "x 1 2\n{}", "m one e 0\n{}", "n 1\n{}"])
        {
            await Node.Database.PublishAsync(StackExchange.Redis.RedisChannel.Literal(Node.Keys.RoomChannel(room)), payload);
        }

        await Backplane.NotifyRoomAsync(room, new(0, 0, "{}"u8.ToArray()));

        await heard.NoticesAsync(1);
        heard.Messages.Should().BeEmpty();
    }
}
