using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Rooms;

public sealed class ReplayTests
{
    private const int Limit = 30_000;

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly BackplaneOverMemory _backplane = new();
    private readonly RoomDirectory _rooms;

    public static TheoryData<int> Rounds => [.. Enumerable.Range(0, 20)];

    public ReplayTests() => _rooms = Directory(1024 * 1024);

    [Theory(Timeout = Limit)]
    [InlineData(0, 0)]
    [InlineData(1, 0)]
    [InlineData(63, 0)]
    [InlineData(64, 0)]
    [InlineData(65, 0)]
    [InlineData(128, 0)]
    [InlineData(129, 0)]
    [InlineData(200, 0)]
    [InlineData(200, 136)]
    [InlineData(200, 199)]
    [InlineData(200, 200)]
    public async Task Join_WithSince_ReplaysWhatWasMissedThenGoesLive(int count, int since)
    {
        var epoch = await PostAsync(count);
        var peer = new RoomPeer();

        var member = await _rooms.JoinAsync(peer.Connection, _key, since, epoch);
        await PostAsync(3, "live");

        member.Should().NotBeNull();
        (await peer.SeenAsync(1 + count - since + 3)).Should()
            .Equal([$"joined {count} recovered", .. Enumerable.Range(since + 1, count - since + 3).Select(seq => $"{seq}")]);
    }

    [Fact(Timeout = Limit)]
    public async Task Join_WithoutSince_ReplaysNothing()
    {
        await PostAsync(10);
        var peer = new RoomPeer();

        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        await PostAsync(1, "live");

        (await peer.SeenAsync(2)).Should().Equal("joined 10", "11");
    }

    [Theory(Timeout = Limit)]
    [InlineData(5, "another")]
    [InlineData(5, null)]
    [InlineData(11, "same")]
    [InlineData(long.MaxValue, "same")]
    public async Task Join_CannotRecover_SaysSoAndReplaysNothing(long since, string? epoch)
    {
        var real = await PostAsync(10);
        var peer = new RoomPeer();

        await _rooms.JoinAsync(peer.Connection, _key, since, epoch == "same" ? real : epoch);
        await PostAsync(1, "live");

        (await peer.SeenAsync(2)).Should().Equal("joined 10", "11");
    }

    [Theory(Timeout = Limit)]
    [InlineData(199, false)]
    [InlineData(200, true)]
    public async Task Join_LogIsTrimmed_RecoversOnlyWhatIsHeldWhole(int since, bool recovered)
    {
        var epoch = await PostAsync(1200);
        var peer = new RoomPeer();

        await _rooms.JoinAsync(peer.Connection, _key, since, epoch);
        await PostAsync(1, "live");

        var seen = await peer.SeenUpToAsync("1201");
        seen.Should()
            .Equal(recovered ? ["joined 1200 recovered", .. Enumerable.Range(201, 1000).Select(seq => $"{seq}")] : ["joined 1200"]);
    }

    [Theory(Timeout = Limit)]
    [MemberData(nameof(Rounds))]
    public async Task Join_UnderFullTraffic_GivesEverySeqOnceInOrder(int round)
    {
        var epoch = await PostAsync(150);
        var stop = false;
        var posting = Task.Run(async () =>
        {
            var posted = 0;
            for (; !Volatile.Read(ref stop) && posted < 600; posted++)
            {
                await PostAsync(1, $"live{posted}-");
            }

            return posted;
        });
        var peers = Enumerable.Range(0, 8).Select(user => new RoomPeer(user + 10)).ToList();
        await Task.WhenAll(peers.Select((peer, index) => Task.Run(async () =>
            (await _rooms.JoinAsync(peer.Connection, _key, (round * 7) + index, epoch)).Should().NotBeNull())));
        Volatile.Write(ref stop, true);
        var head = 150 + await posting;

        foreach (var (peer, index) in peers.Select((peer, index) => (peer, index)))
        {
            var since = (round * 7) + index;
            var seen = await peer.SeenAsync(1 + head - since);
            seen[0].Should().EndWith("recovered");
            seen.Skip(1).Should().Equal(Enumerable.Range(since + 1, head - since).Select(seq => $"{seq}"));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Join_HasSeenMoreThanTheRoomHere_GetsNothingTwice()
    {
        var epoch = await PostAsync(10);
        var other = new RoomPeer(8);
        await _rooms.JoinAsync(other.Connection, _key, null, null);

        // 11 to 100 were published, and this node's subscription has not brought them; the newcomer saw up to 90 on another node.
        _backplane.Loses = _ => true;
        await PostAsync(90, "late");
        _backplane.Loses = _ => false;
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, 90, epoch);
        await PostAsync(1, "live");

        (await peer.SeenUpToAsync("101")).Should().Equal(["joined 100 recovered", .. Enumerable.Range(91, 10).Select(seq => $"{seq}")]);
        (await other.SeenUpToAsync("101")).Should().Equal(["joined 10", .. Enumerable.Range(11, 90).Select(seq => $"{seq}")]);
        peer.Seen.Should().HaveCount(12);
    }

    [Fact(Timeout = Limit)]
    public async Task Join_PeerDoesNotRead_IsClosedAsSlow()
    {
        var epoch = await PostAsync(500);
        var rooms = Directory(16 * 1024);
        var peer = new RoomPeer(7, queueBytes: 16 * 1024);
        peer.Outbound.Stall();

        var member = await rooms.JoinAsync(peer.Connection, _key, 0, epoch);
        peer.Outbound.Flow();

        member.Should().BeNull();
        rooms.Count.Should().Be(0, "who could not join is not counted");
        await Eventually.TrueAsync(() => peer.Outbound.CloseCodes.Count > 0, TimeSpan.FromSeconds(5), () => "no close frame");
        peer.Outbound.CloseCodes.Should().Equal(4001);
        peer.Seen.Skip(1).Should().Equal(Enumerable.Range(1, peer.Seen.Count - 1).Select(seq => $"{seq}"), "what it got has no hole");
    }

    [Fact(Timeout = Limit)]
    public async Task Join_RedisOutOfReach_LeavesNobodyInTheRoom()
    {
        _backplane.BeforeRead = (_, _) => throw new RedisUnavailableException("away");
        var peer = new RoomPeer();

        await _rooms.Awaiting(rooms => rooms.JoinAsync(peer.Connection, _key, null, null).AsTask())
            .Should().ThrowAsync<RedisUnavailableException>();

        _rooms.Count.Should().Be(0);
        _backplane.BeforeRead = (_, _) => Task.CompletedTask;
        (await _rooms.JoinAsync(peer.Connection, _key, null, null)).Should().NotBeNull("a failure is not kept");
        _rooms.Count.Should().Be(1);
    }

    private RoomDirectory Directory(int queueBytes) => RoomParts.Directory(_backplane, queueBytes);

    private async Task<string> PostAsync(int count, string prefix = "m")
    {
        var epoch = (await _backplane.ReadAsync(_key, 0, 0)).Epoch;
        for (var number = 1; number <= count; number++)
        {
            await _backplane.AcceptAsync(Drafts.Of(_key, 99, $"{prefix}{number}"));
        }

        return epoch;
    }
}
