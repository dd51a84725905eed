using ChatServer.Backplane;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Outbox;

public sealed class RedisOutboxTests(RedisServer redis) : OutboxContract, IClassFixture<RedisServer>, IAsyncLifetime
{
    private RedisNode? _node;
    private RedisNode? _other;

    private protected override IBackplane Backplane => _node!.Backplane;

    private protected override IOutbox Outbox => _node!.Outbox;

    public async ValueTask InitializeAsync()
    {
        _node = await RedisNode.ConnectAsync(redis);
        _other = await RedisNode.ConnectAsync(redis);
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _other!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Lease_AnotherNodeHasIt_IsRefusedUntilItIsReleased()
    {
        (await Outbox.TryLeaseAsync(1)).Should().BeTrue();
        (await _other!.Outbox.TryLeaseAsync(1)).Should().BeFalse();
        (await _other.Outbox.TryLeaseAsync(2)).Should().BeTrue("partitions are leased one by one");
        await _other.Outbox.ReleaseAsync(1);
        (await _other.Outbox.TryLeaseAsync(1)).Should().BeFalse("only the owner can release");

        await Outbox.ReleaseAsync(1);

        (await _other.Outbox.TryLeaseAsync(1)).Should().BeTrue();
        (await Outbox.TryLeaseAsync(1)).Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Lease_OwnerIsGone_IsTakenOverWhenItRunsOut()
    {
        const int partition = 3;
        (await Outbox.TryLeaseAsync(partition)).Should().BeTrue();
        (await LeftAsync(partition)).Should().BeCloseTo(OutboxOptions.LeaseTime, TimeSpan.FromSeconds(2));
        await _node!.Database.KeyExpireAsync(RedisKeys.Lease(partition), TimeSpan.FromMilliseconds(300));
        (await Outbox.TryLeaseAsync(partition)).Should().BeTrue();
        (await LeftAsync(partition)).Should()
            .BeCloseTo(OutboxOptions.LeaseTime, TimeSpan.FromSeconds(2), "renewing makes it last as long again");

        await _node.Database.KeyExpireAsync(RedisKeys.Lease(partition), TimeSpan.FromMilliseconds(1));

        await Eventually.TrueAsync(
            () => _other!.Outbox.TryLeaseAsync(partition).AsTask().GetAwaiter().GetResult(), TimeSpan.FromSeconds(5),
            () => "the lease was not taken over");
        (await Outbox.TryLeaseAsync(partition)).Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task CountNodes_ANodeSignsOff_IsNotCountedAnyMore()
    {
        await _node!.Database.KeyDeleteAsync(RedisKeys.Nodes);
        (await Outbox.CountNodesAsync()).Should().Be(1);
        (await _other!.Outbox.CountNodesAsync()).Should().Be(2);

        await _other.Outbox.SignOffAsync();

        (await Outbox.CountNodesAsync()).Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task CountNodes_NameOfAClockThatWasAhead_IsForgotten()
    {
        await _node!.Database.KeyDeleteAsync(RedisKeys.Nodes);
        var ahead = DateTimeOffset.UnixEpoch.AddYears(200).ToUnixTimeMilliseconds();
        await _node.Database.SortedSetAddAsync(RedisKeys.Nodes, "from the future", ahead);

        (await Outbox.CountNodesAsync()).Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Free_LeasedByOthers_AreNotAmongThem()
    {
        await _other!.Outbox.TryLeaseAsync(7);

        (await Outbox.FreeAsync()).Should().NotContain(7).And.Contain(8);
    }

    /// <summary>Saving is what frees memory, so that nothing of it may need some that is not there.</summary>
    [Fact(Timeout = Limit)]
    public async Task RedisIsFull_LeasesNodesAndDeadLettersWork()
    {
        await using var full = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(full);
        var room = Drafts.NewRoom();
        var partition = node.Keys.PartitionOf(room);
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await node.Backplane.Awaiting(backplane => backplane.AcceptAsync(Drafts.Of(room, 7, "a2")))
            .Should().ThrowAsync<RedisUnavailableException>("it is full");

        (await node.Outbox.TryLeaseAsync(partition)).Should().BeTrue();
        (await node.Outbox.TryLeaseAsync(partition)).Should().BeTrue("it is kept");
        (await node.Outbox.CountNodesAsync()).Should().Be(1);
        var entry = (await node.Outbox.ReadAsync(partition, "", 1)).Single();
        await node.Outbox.MoveToDeadLettersAsync(partition, entry, "no");
        await node.Outbox.ReleaseAsync(partition);

        (await node.Outbox.SizeAsync()).Should().Be(new OutboxSize(0, 1));
    }

    [Fact(Timeout = Limit)]
    public async Task Read_ByAnotherNode_GivesTheSame()
    {
        var room = Drafts.NewRoom();
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));

        var there = await _other!.Outbox.ReadAsync(PartitionOf(room), "", 1000);

        there.Select(entry => entry.Id).Should().Contain((await OfAsync(room)).Select(entry => entry.Id));
    }

    private protected override int PartitionOf(RoomKey room) => _node!.Keys.PartitionOf(room);

    private async Task<TimeSpan> LeftAsync(int partition) => (await _node!.Database.KeyTimeToLiveAsync(RedisKeys.Lease(partition)))!.Value;
}
