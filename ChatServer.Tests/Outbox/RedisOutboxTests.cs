using System.Collections.Concurrent;
using ChatServer.Backplane;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
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
        (await _other.Outbox.TryLeaseAsync(2)).Should().BeTrue("lanes are leased one by one");
        await _other.Outbox.ReleaseAsync(1);
        (await _other.Outbox.TryLeaseAsync(1)).Should().BeFalse("only the owner can release");

        await Outbox.ReleaseAsync(1);

        (await _other.Outbox.TryLeaseAsync(1)).Should().BeTrue();
        (await Outbox.TryLeaseAsync(1)).Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Lease_OwnerIsGone_IsTakenOverWhenItRunsOut()
    {
        const int lane = 3;
        (await Outbox.TryLeaseAsync(lane)).Should().BeTrue();
        (await LeftAsync(lane)).Should().BeCloseTo(OutboxOptions.LeaseTime, TimeSpan.FromSeconds(2));
        await _node!.Database.KeyExpireAsync(RedisKeys.Lease(lane), TimeSpan.FromMilliseconds(300));
        (await Outbox.TryLeaseAsync(lane)).Should().BeTrue();
        (await LeftAsync(lane)).Should()
            .BeCloseTo(OutboxOptions.LeaseTime, TimeSpan.FromSeconds(2), "renewing makes it last as long again");

        await _node.Database.KeyExpireAsync(RedisKeys.Lease(lane), TimeSpan.FromMilliseconds(1));

        await Eventually.TrueAsync(
            () => _other!.Outbox.TryLeaseAsync(lane).AsTask().GetAwaiter().GetResult(), TimeSpan.FromSeconds(5),
            () => "the lease was not taken over");
        (await Outbox.TryLeaseAsync(lane)).Should().BeFalse();
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

    /// <summary>Each room is announced, whatever its neighbours have: nobody looks for it soon.</summary>
    [Fact(Timeout = Limit)]
    public async Task Listen_AnotherRoomOfItsPartitionHasSomethingAlready_IsToldOfThisOneOnce()
    {
        var first = Drafts.NewRoom();
        RoomKey second;
        do
        {
            second = Drafts.NewRoom();
        }
        while (_node!.Keys.PartitionOf(second) != _node.Keys.PartitionOf(first));
        await AcceptAsync(first, 1);
        var told = new ConcurrentQueue<RoomKey>();
        await using var listening = await Outbox.ListenAsync((_, room) => told.Enqueue(room), () => { });

        await AcceptAsync(second, 3);
        var marker = Drafts.NewRoom();
        await AcceptAsync(marker, 1);

        await Eventually.TrueAsync(() => told.Contains(marker), TimeSpan.FromSeconds(5), () => "nothing was told");
        told.Should().Equal(second, marker);
    }

    [Fact(Timeout = Limit)]
    public async Task Listen_AnInterruption_IsToldWhenItIsOver()
    {
        var restored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var listening = await Outbox.ListenAsync((_, _) => { }, () => restored.TrySetResult());

        await _node!.Database.ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");

        await restored.Task.WaitAsync(TimeSpan.FromSeconds(15));
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
        var lane = RedisKeys.LaneOf(node.Keys.PartitionOf(room));
        await node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        await node.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await node.Backplane.Awaiting(backplane => backplane.AcceptAsync(Drafts.Of(room, 7, "a2")))
            .Should().ThrowAsync<RedisUnavailableException>("it is full");

        (await node.Outbox.TryLeaseAsync(lane)).Should().BeTrue();
        (await node.Outbox.TryLeaseAsync(lane)).Should().BeTrue("it is kept");
        (await node.Outbox.CountNodesAsync()).Should().Be(1);
        await node.Outbox.SettleAsync(room, 1, "no");
        await node.Outbox.ReleaseAsync(lane);

        (await node.Outbox.SizeAsync()).Should().Be(new OutboxSize(0, 1, null));
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_ByAnotherNode_GoesOnWhereTheFirstOneWas()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 3);
        await Outbox.SettleAsync(room, 1);

        (await _other!.Outbox.UnsavedOfAsync(room)).Select(pending => pending.Seq).Should().Equal(2, 3);
    }

    [Fact(Timeout = Limit)]
    public async Task Log_WithUnsavedMessages_NeverExpiresAndIsNotTrimmed()
    {
        var room = Drafts.NewRoom();
        var log = _node!.Keys.Log(room);
        await Task.WhenAll(Enumerable.Range(1, 3000).Select(number => Backplane.AcceptAsync(Drafts.Of(room, 7, $"m{number}"))));
        (await _node.Database.KeyTimeToLiveAsync(log)).Should().BeNull();
        (await LoggedAsync(room)).Should().HaveCount(3000);

        var saved = new List<long>();
        for (var page = await Outbox.UnsavedOfAsync(room); page.Count > 0; page = await Outbox.UnsavedOfAsync(room))
        {
            saved.AddRange(page.Select(pending => pending.Seq));
            await Outbox.SettleAsync(room, int.MaxValue);
        }

        saved.Should().Equal(Enumerable.Range(1, 3000).Select(seq => (long)seq));

        (await _node.Database.KeyTimeToLiveAsync(log))!.Value.Should().BeGreaterThan(TimeSpan.FromHours(24));
        var held = await LoggedAsync(room);
        held.Count.Should().BeInRange(1000, 2999, "what is saved is trimmed, but for the newest thousand");
        held.Select(message => message.Seq).Should().Equal(Enumerable.Range(3001 - held.Count, held.Count).Select(seq => (long)seq));
        await AcceptAsync(room, 1);
        (await _node.Database.KeyTimeToLiveAsync(log)).Should().BeNull("there is something to save again");
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_RedisHasFallenBackSince_NewMessagesThatHaveTheOldSeqsAreNotTakenForSaved()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 2);
        var state = await _node!.Database.HashGetAllAsync(_node.Keys.Room(room));
        var second = await Outbox.SettleAsync(room, 0, readOn: true);
        await AcceptAsync(room, 2, from: 2);
        var read = await Outbox.SettleAsync(room, 0, readOn: true);
        var done = new Settlement(read.Epoch);
        done.Add(read.Messages[3], null);

        // Redis as it was after two messages; somebody notices, and two others get those seqs.
        await _node.Database.HashSetAsync(_node.Keys.Room(room), state);
        await _node.Database.StreamDeleteAsync(_node.Keys.Log(room), ["3-0", "4-0"]);
        await _node.Database.ExecuteAsync("XSETID", _node.Keys.Log(room), "2-0");
        await Backplane.ReadAsync(room, 4, 0, seenIn: read.Epoch);
        await AcceptAsync(room, 2, from: 10);
        await Outbox.SettleAsync(room, done, readOn: false);

        (await Outbox.UnsavedOfAsync(room)).Select(pending => pending.Message!.Identifier).Should()
            .Equal(["a11", "a12"], "of the old numbering only what is here still is saved");
        var unknown = new Settlement("unknown1");
        unknown.Add(read.Messages[3], null);
        await Outbox.SettleAsync(room, unknown, readOn: false);
        (await Outbox.UnsavedOfAsync(room)).Should().HaveCount(2);
        second.Messages.Should().HaveCount(2);
    }

    [Theory(Timeout = Limit)]
    [InlineData(0)]
    [InlineData(2)]
    public async Task Settle_SomebodyHasRemovedMessagesFromTheLog_GoesOnBehindThem(int kept)
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 5);
        for (var seq = 1; seq <= 5 - kept; seq++)
        {
            await _node!.Database.StreamDeleteAsync(_node.Keys.Log(room), [$"{seq}-0"]);
        }

        var page = await Outbox.SettleAsync(room, 0, readOn: true);

        page.Messages.Select(pending => pending.Seq).Should().Equal(Enumerable.Range(6 - kept, kept).Select(seq => (long)seq));
        (await UnsavedAsync(room)).Should().HaveCount(kept == 0 ? 0 : 1);
        (await _node!.Database.KeyTimeToLiveAsync(_node.Keys.Log(room))).HasValue.Should().Be(kept == 0, "with nothing to save it expires");
    }

    [Fact(Timeout = Limit)]
    public async Task Size_CountsWhatWaitsAndTellsSinceWhen()
    {
        await using var own = await RedisServer.StartAsync();
        await using var node = await RedisNode.ConnectAsync(own);
        (await node.Outbox.SizeAsync()).Should().Be(new OutboxSize(0, 0, null));
        var (one, two) = (Drafts.NewRoom(), Drafts.NewRoom());
        foreach (var (room, identifier) in new[] { (one, "a"), (one, "b"), (two, "c") })
        {
            await node.Backplane.AcceptAsync(Drafts.Of(room, 7, identifier));
        }

        await node.Outbox.SettleAsync(one, 1, "no");

        var size = await node.Outbox.SizeAsync();
        (size.Waiting, size.Dead).Should().Be((2, 1));
        size.StuckSince!.Value.Should().BeCloseTo(TimeProvider.System.GetUtcNow(), TimeSpan.FromSeconds(20));
    }

    /// <summary>All that a room's log holds.</summary>
    private async Task<IReadOnlyList<RelayedMessage>> LoggedAsync(RoomKey room)
    {
        var held = new List<RelayedMessage>();
        for (var page = await Backplane.ReadAsync(room, 0, 1000); page.Messages.Count > 0;
             page = await Backplane.ReadAsync(room, held[^1].Seq, 1000))
        {
            held.AddRange(page.Messages);
        }

        return held;
    }

    private protected override int LaneOf(RoomKey room) => RedisKeys.LaneOf(_node!.Keys.PartitionOf(room));

    private async Task<TimeSpan> LeftAsync(int lane) => (await _node!.Database.KeyTimeToLiveAsync(RedisKeys.Lease(lane)))!.Value;
}
