using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Rooms;

public sealed class RoomTrackerTests
{
    private const int Limit = 20_000;

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly BackplaneOverMemory _backplane = new();
    private readonly RoomDirectory _rooms;

    public RoomTrackerTests() => _rooms = RoomParts.Directory(_backplane);

    [Theory(Timeout = Limit)]
    [InlineData(1)]
    [InlineData(300)]
    public async Task Track_LostPublications_AreReadFromTheLogInOrder(int lost)
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        _backplane.Loses = message => message.Seq > 1 && message.Seq <= 1 + lost;

        for (var number = 1; number <= lost + 2; number++)
        {
            await _backplane.AcceptAsync(Drafts.Of(_key, 99, $"m{number}"));
        }

        (await peer.SeenUpToAsync($"{lost + 2}")).Should().Equal(["joined 0", .. Enumerable.Range(1, lost + 1).Select(seq => $"{seq}")]);
    }

    [Fact(Timeout = Limit)]
    public async Task Restored_TheLastPublicationWasLost_IsReadWithoutWaitingForAnother()
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        _backplane.Loses = _ => true;
        await _backplane.AcceptAsync(Drafts.Of(_key, 99, "m1"));

        _backplane.Restore();

        (await peer.SeenUpToAsync("1")).Should().Equal("joined 0");
    }

    [Fact(Timeout = Limit)]
    public async Task Track_MoreIsLostThanTheLogHolds_TellsMembersToBeginAnewAndGoesOn()
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        _backplane.Loses = message => message.Seq <= RoomOptions.LogMessages + 100;

        for (var number = 1; number <= RoomOptions.LogMessages + 101; number++)
        {
            await _backplane.AcceptAsync(Drafts.Of(_key, 99, $"m{number}"));
        }

        var seen = await peer.SeenUpToAsync($"{RoomOptions.LogMessages + 101}");
        seen.Should().StartWith(["joined 0", "joined 101", "102", "103"]).And.HaveCount(RoomOptions.LogMessages + 1);
    }

    [Fact(Timeout = Limit)]
    public async Task Merge_NewEpoch_TellsMembersToBeginAnewAndBringsAllOfIt()
    {
        var room = new Room(_key, _ => { });
        var peer = new RoomPeer();
        room.Start(7, "old");
        room.Join(peer.Connection);
        room.OnMessage(Drafts.Message(_key, 1) with { Epoch = "new" });
        room.HasLostTrack.Should().BeTrue();

        room.Merge(new LogPage("new", 2, []), room.Mark).Should().BeFalse("the page was read behind the old seq");
        room.Position.Should().Be(new RoomPosition("new", 0));
        var all = new LogPage("new", 2, [Drafts.Message(_key, 1) with { Epoch = "new" }, Drafts.Message(_key, 2) with { Epoch = "new" }]);
        room.Merge(all, room.Mark).Should().BeTrue();

        (await peer.SeenUpToAsync("2")).Should().Equal("joined 7", "joined 0", "1");
        room.TryEndTracking().Should().BeTrue();
    }

    /// <summary>The log is read after an interruption, and is written under a new epoch before what was read is merged.</summary>
    [Fact(Timeout = Limit)]
    public async Task Merge_NewEpochWhileTheLogWasRead_BringsItsMessageAsWell()
    {
        var room = new Room(_key, _ => { });
        var peer = new RoomPeer();
        room.Start(2, "old");
        room.Join(peer.Connection);
        room.LoseTrack();
        var asked = room.Mark;

        room.OnMessage(Drafts.Message(_key, 3) with { Epoch = "new" });
        room.Merge(new LogPage("old", 2, []), asked).Should().BeTrue();

        room.HasLostTrack.Should().BeTrue("the page was read before that message came");
        room.Merge(new LogPage("new", 3, [Drafts.Message(_key, 3) with { Epoch = "new" }]) { Past = [new("old", 2)] }, room.Mark)
            .Should().BeTrue();
        room.HasLostTrack.Should().BeFalse();
        (await peer.SeenUpToAsync("3")).Should().Equal("joined 2", "joined 2 recovered");
    }

    /// <summary>Two read the log at once, and the one who asked first gets his answer last.</summary>
    [Fact(Timeout = Limit)]
    public async Task Merge_PageFromBeforeTheEpoch_IsReadAgainAndTellsNobodyToBeginAnew()
    {
        var room = new Room(_key, _ => { });
        var peer = new RoomPeer();
        room.Start(2, "old");
        room.Join(peer.Connection);
        var asked = room.Mark;
        room.Merge(new LogPage("new", 3, [Drafts.Message(_key, 3) with { Epoch = "new" }]) { Past = [new("old", 2)] }, room.Mark);

        room.Merge(new LogPage("old", 2, []), asked).Should().BeFalse();

        room.Position.Should().Be(new RoomPosition("new", 3));
        room.OnMessage(Drafts.Message(_key, 4) with { Epoch = "new" });
        (await peer.SeenUpToAsync("4")).Should().Equal("joined 2", "joined 2 recovered", "3");
    }

    [Fact(Timeout = Limit)]
    public async Task Track_LogOutOfReach_KeepsTheOrderAndGoesOnTrying()
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        var reads = 0;
        _backplane.BeforeRead = (_, _) =>
            Interlocked.Increment(ref reads) <= 2 ? throw new RedisUnavailableException("away") : Task.CompletedTask;
        _backplane.Loses = message => message.Seq == 1;

        await _backplane.AcceptAsync(Drafts.Of(_key, 99, "m1"));
        await _backplane.AcceptAsync(Drafts.Of(_key, 99, "m2"));

        (await peer.SeenUpToAsync("2")).Should().Equal("joined 0", "1");
        reads.Should().Be(3);
    }

    /// <summary>Whatever goes wrong is logged, and the gap is healed when it has passed.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Track_UnexpectedError_IsLoggedAndTriedAgainAfterAPause(bool afterAnInterruption)
    {
        using var log = new LogLines();
        using var loggers = LoggerFactory.Create(builder => builder.AddProvider(log));
        var rooms = RoomParts.Directory(_backplane, logger: loggers.CreateLogger<RoomTracker>());
        var peer = new RoomPeer();
        await rooms.JoinAsync(peer.Connection, _key, null, null);
        var reads = 0;
        _backplane.BeforeRead = (_, _) =>
            Interlocked.Increment(ref reads) == 1 ? throw new FormatException("no message") : Task.CompletedTask;
        _backplane.Loses = message => message.Seq == 1;
        await _backplane.AcceptAsync(Drafts.Of(_key, 99, "m1"));
        if (afterAnInterruption)
        {
            _backplane.Restore();
        }
        else
        {
            await _backplane.AcceptAsync(Drafts.Of(_key, 99, "m2"));
        }

        await Task.Delay(1000);
        reads.Should().BeLessThanOrEqualTo(2, "it does not spin");
        log.All.Should().ContainSingle(line => line.StartsWith("Error", StringComparison.Ordinal)).Which.Should().Contain("[802]");

        (await peer.SeenUpToAsync(afterAnInterruption ? "1" : "2")).Should().StartWith("joined 0");
        peer.Seen.Should().Equal(afterAnInterruption ? ["joined 0", "1"] : ["joined 0", "1", "2"]);
    }

    [Fact(Timeout = Limit)]
    public async Task Track_GapClosesByItself_ReadsNothing()
    {
        var reads = 0;
        _backplane.BeforeRead = (_, _) =>
        {
            Interlocked.Increment(ref reads);
            return Task.CompletedTask;
        };
        var room = new Room(_key, RoomParts.Tracker(_backplane).Track);
        room.Start(0, "e1");
        room.OnMessage(Drafts.Message(_key, 2));
        room.OnMessage(Drafts.Message(_key, 1));

        await Task.Delay(300);

        reads.Should().Be(0);
        room.Seq.Should().Be(2);
    }
}
