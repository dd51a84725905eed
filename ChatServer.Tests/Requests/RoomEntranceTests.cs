using System.Text.Json.Nodes;
using ChatServer.Rooms;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Requests;

/// <summary>Quantum takes its time while clients are entering rooms.</summary>
public sealed class RoomEntranceTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;
    private const long OtherRoom = 13;

    private readonly ServiceParts _parts = new(("MAX_ROOMS_PER_CONNECTION", "3"), ("RATE_LIMIT", "0"));
    private readonly TaskCompletionSource _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Join_QuantumTakesItsTime_FramesOfThatRoomWaitInOrderAndAllOthersGoOn()
    {
        var peer = await LoginAsync();
        await RequestPeer.JoinAsync(_parts, 8, Room);

        await JoinAsync(peer, Room);
        for (var number = 1; number <= 20; number++)
        {
            await ChatAsync(peer, Room, $"a{number}");
        }

        await peer.Handle("""{"type":"ping"}""");
        await peer.NextAsync("pong");
        await ChatAsync(peer, OtherRoom, "b1");
        (await peer.NextAsync("ack")).Text("identifier").Should().Be("b1");
        peer.Waiting.Should().BeEmpty();
        await LeaveAsync(peer, Room);
        await JoinAsync(peer, Room);
        await ChatAsync(peer, Room, "last");
        _answer.SetResult();

        await peer.NextAsync("joined");
        var answers = new List<string?>();
        while (answers.Count < 23)
        {
            await Eventually.TrueAsync(() => peer.Waiting.Count > 0, TimeSpan.FromSeconds(10), () => $"{answers.Count} answers came");
            var frame = await peer.NextAsync(peer.Waiting[0].Type());
            answers.Add(frame.Text("identifier") ?? frame.Type());
        }

        // An ack comes when its message is accepted, which may be after the room was left.
        answers.Where(answer => answer![0] == 'a').Should().Equal(Enumerable.Range(1, 20).Select(number => $"a{number}"));
        answers.Where(answer => answer![0] != 'a').Should().Equal("left", "joined", "last");
        peer.Waiting.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Join_MoreWaitsThanMay_IsToldToSendAgainAndTheRestKeepsItsOrder()
    {
        var peer = await LoginAsync();
        await JoinAsync(peer, Room);
        var body = new string('x', 60_000);
        for (var number = 1; number <= 6; number++)
        {
            await ChatAsync(peer, Room, $"a{number}", body);
        }

        (await peer.ErrorAsync("unavailable")).Text("identifier").Should().Be("a5");
        (await peer.ErrorAsync("unavailable")).Text("identifier").Should().Be("a6");
        _answer.SetResult();

        await peer.NextAsync("joined");
        for (var number = 1; number <= 4; number++)
        {
            (await peer.NextAsync("ack")).Text("identifier").Should().Be($"a{number}");
        }

        await EndOfLinesAsync(peer);
        await ChatAsync(peer, Room, "a5", body);
        (await peer.NextAsync("ack")).Text("identifier").Should().Be("a5", "what has waited takes no more place");
    }

    [Fact(Timeout = Limit)]
    public async Task Join_SeveralAtOnce_GetsNoMoreRoomsThanItMayHave()
    {
        var peer = await LoginAsync();
        var (reads, log) = (0, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _parts.Backplane.BeforeRead = (_, _) =>
        {
            Interlocked.Increment(ref reads);
            return log.Task;
        };
        foreach (var room in new[] { 21, 22, 23, 24 })
        {
            await JoinAsync(peer, room);
        }

        _answer.SetResult();
        await Eventually.TrueAsync(() => Volatile.Read(ref reads) >= 2, TimeSpan.FromSeconds(10), () => $"{reads} rooms are entered");
        log.SetResult();

        await EndOfLinesAsync(peer);
        var frames = new List<JsonObject>();
        while (peer.Waiting.Count > 0)
        {
            frames.Add(await peer.NextAsync(peer.Waiting[0].Type()));
        }

        frames.Count(frame => frame.Type() == "joined").Should().Be(2);
        frames.Count(frame => frame.Text("code") == "forbidden").Should().Be(2);
        peer.Client.Rooms.Should().HaveCount(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Join_AFileIsAnnouncedAndCancelledBehindIt_NothingIsLeftOfIt()
    {
        var peer = await LoginAsync();
        await JoinAsync(peer, Room);
        await peer.Handle(FileFrames.Announce(Room, "f1", 100));
        await peer.Handle("""{"type":"cancel","identifier":"f1"}""");
        _answer.SetResult();

        await EndOfLinesAsync(peer);
        await Eventually.TrueAsync(() => peer.Waiting.Count == 3, TimeSpan.FromSeconds(10), () => "three answers were due");
        peer.Waiting.Select(frame => frame.Text("code") ?? frame.Type()).Should().BeEquivalentTo("joined", "upload", "file_incomplete");
        peer.Client.PendingUpload.Should().BeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_WhileARoomIsBeingEntered_LeavesNothingBehind()
    {
        var peer = await LoginAsync();
        await JoinAsync(peer, Room);
        await ChatAsync(peer, Room, "a1");

        await peer.Client.DisposeAsync();
        _parts.Get<RoomDirectory>().Count.Should().Be(0);
        _answer.SetResult();

        await EndOfLinesAsync(peer);
        _parts.Get<RoomDirectory>().Count.Should().Be(0);
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(0, "what has waited is not said by one who has gone");
    }

    [Fact(Timeout = Limit)]
    public async Task Dispose_WhileTheLogIsRead_LeavesNothingBehind()
    {
        var peer = await LoginAsync();
        var reads = new TaskCompletionSource();
        _parts.Backplane.BeforeRead = (_, _) =>
        {
            reads.TrySetResult();
            return _answer.Task;
        };
        _parts.Members.Before = () => Task.CompletedTask;
        await JoinAsync(peer, Room);
        await reads.Task;

        await peer.Client.DisposeAsync();
        _answer.SetResult();

        await EndOfLinesAsync(peer);
        await Eventually.TrueAsync(
            () => _parts.Get<RoomDirectory>().Count == 0, TimeSpan.FromSeconds(10), () => "somebody who has gone is still in the room");
    }

    /// <summary>In <see cref="OtherRoom"/>; from now on Quantum waits.</summary>
    private async Task<RequestPeer> LoginAsync()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        await peer.SendAsync("""{"type":"join","room_id":13}""");
        await peer.NextAsync("joined");
        _parts.Members.Before = () => _answer.Task;
        return peer;
    }

    private static Task EndOfLinesAsync(RequestPeer peer) => Eventually.TrueAsync(
        () => peer.Client.Lines!.Count == 0, TimeSpan.FromSeconds(10), () => "a room is still being entered");

    private static Task JoinAsync(RequestPeer peer, long room) =>
        peer.Handle($$"""{"type":"join","room_id":{{room}}}""").WaitAsync(TimeSpan.FromSeconds(5));

    private static Task LeaveAsync(RequestPeer peer, long room) => peer.Handle($$"""{"type":"leave","room_id":{{room}}}""");

    private static Task ChatAsync(RequestPeer peer, long room, string identifier, string body = "hello") => peer.Handle(
        $$"""{"type":"chat","room_id":{{room}},"identifier":"{{identifier}}","body":"{{body}}"}""");
}
