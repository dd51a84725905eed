using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Requests;

public sealed class RoomRequestsTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly ServiceParts _parts = new(("MAX_ROOMS_PER_CONNECTION", "2"));

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Join_AMember_IsInTheRoomOfTheOwnCompany()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7, company: 4);

        await JoinAsync(peer, Room);

        var joined = await peer.NextAsync("joined");
        (joined.Flag("success"), joined.Number("room_id"), joined.Number("seq"), joined.Flag("recovered")).Should()
            .Be((true, Room, 0, false));
        joined.Text("epoch").Should().NotBeEmpty();
        peer.Client.MemberOf(Room)!.Room.Key.Should().Be(new RoomKey(4, Room));
        _parts.Members.Rooms.Should().Equal(new RoomKey(4, Room));
    }

    [Fact(Timeout = Limit)]
    public async Task Join_NoMember_IsForbidden()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 8);

        await JoinAsync(peer, Room);

        (await peer.ErrorAsync("forbidden")).Number("room_id").Should().Be(Room);
        peer.Client.Rooms.Should().BeEmpty();
        _parts.Get<RoomDirectory>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Join_QuantumIsOutOfReach_IsUnavailable()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        _parts.Members.Answer = _ => throw new QuantumUnavailableException("away");

        await JoinAsync(peer, Room);

        (await peer.ErrorAsync("unavailable")).Text("message").Should().Contain("Quantum");
    }

    [Fact(Timeout = Limit)]
    public async Task Join_RedisIsOutOfReach_IsUnavailableAndCanBeTriedAgain()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        _parts.Backplane.BeforeRead = (_, _) => throw new RedisUnavailableException("away");
        await JoinAsync(peer, Room);
        (await peer.ErrorAsync("unavailable")).Number("room_id").Should().Be(Room);
        _parts.Get<RoomDirectory>().Count.Should().Be(0);
        _parts.Backplane.BeforeRead = (_, _) => Task.CompletedTask;

        await JoinAsync(peer, Room);

        await peer.NextAsync("joined");
    }

    [Fact(Timeout = Limit)]
    public async Task Join_WithSince_GetsWhatItMissed()
    {
        var sender = await RequestPeer.JoinAsync(_parts, 9, Room);
        foreach (var identifier in new[] { "a1", "a2", "a3" })
        {
            await sender.ChatAsync(Room, identifier);
            await sender.NextAsync("ack");
        }

        var epoch = sender.Client.MemberOf(Room)!.Room.Position.Epoch;
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        await peer.SendAsync($$"""{"type":"join","room_id":12,"since":1,"epoch":"{{epoch}}"}""");

        var joined = await peer.NextAsync("joined");
        (joined.Flag("recovered"), joined.Number("seq")).Should().Be((true, 3));
        var missed = new List<string?>();
        while (missed.Count < 2)
        {
            missed.AddRange((await peer.NextAsync("chat")).Messages().Select(message => message.Text("identifier")));
        }

        missed.Should().Equal("a2", "a3");
    }

    [Fact(Timeout = Limit)]
    public async Task Join_IsInAlready_IsAnsweredAndLeavesOnce()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await JoinAsync(peer, Room);
        await peer.NextAsync("joined");
        await peer.SendAsync("""{"type":"leave","room_id":12}""");
        await peer.NextAsync("left");

        _parts.Get<RoomDirectory>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Join_MoreRoomsThanAConnectionMayHave_IsForbiddenUntilItLeavesOne()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        await JoinAsync(peer, 1);
        await peer.NextAsync("joined");
        await JoinAsync(peer, 2);
        await peer.NextAsync("joined");

        await JoinAsync(peer, 3);
        (await peer.ErrorAsync("forbidden")).Text("message").Should().Contain("2 rooms");
        await JoinAsync(peer, 2);
        await peer.NextAsync("joined");
        await peer.SendAsync("""{"type":"leave","room_id":1}""");
        await peer.NextAsync("left");
        await JoinAsync(peer, 3);

        (await peer.NextAsync("joined")).Number("room_id").Should().Be(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_ARoomThatItIsIn_IsToldAndHearsNothingMoreOfIt()
    {
        var (peer, other) = (await RequestPeer.JoinAsync(_parts, 7, Room), await RequestPeer.JoinAsync(_parts, 8, Room));

        await peer.SendAsync("""{"type":"leave","room_id":12}""");

        (await peer.NextAsync("left")).ToJsonString().Should().Be("""{"type":"left","success":true,"room_id":12}""");
        await other.ChatAsync(Room, "a1");
        await other.NextAsync("ack");
        peer.Waiting.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_ARoomThatItIsNotIn_IsToldSo()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync("""{"type":"leave","room_id":13}""");

        (await peer.ErrorAsync("not_in_room")).Number("room_id").Should().Be(13);
        peer.Client.MemberOf(Room).Should().NotBeNull();
    }

    private static Task JoinAsync(RequestPeer peer, long room) => peer.SendAsync($$"""{"type":"join","room_id":{{room}}}""");
}
