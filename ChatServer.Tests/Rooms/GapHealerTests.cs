using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;
using ChatServer.Tests.Relay;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Rooms;

public sealed class GapHealerTests
{
    private const int Limit = 20_000;

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly RelayOverMemory _relay = new();
    private readonly RoomDirectory _rooms;

    public GapHealerTests() => _rooms = new(
        _relay, new Replay(_relay, new DeliverOptions(10, 10, 1 << 20, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10))),
        new GapHealer(_relay, TimeProvider.System, NullLogger<GapHealer>.Instance));

    [Theory(Timeout = Limit)]
    [InlineData(1)]
    [InlineData(300)]
    public async Task Heal_LostPublications_AreReadFromTheLogInOrder(int lost)
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        _relay.Loses = message => message.Seq > 1 && message.Seq <= 1 + lost;

        for (var number = 1; number <= lost + 2; number++)
        {
            await _relay.AcceptAsync(Drafts.Of(_key, 99, $"m{number}"));
        }

        (await peer.SeenUpToAsync($"{lost + 2}")).Should().Equal(["joined 0", .. Enumerable.Range(1, lost + 1).Select(seq => $"{seq}")]);
    }

    [Fact(Timeout = Limit)]
    public async Task Heal_LogOutOfReach_KeepsTheOrderAndGoesOnTrying()
    {
        var peer = new RoomPeer();
        await _rooms.JoinAsync(peer.Connection, _key, null, null);
        var reads = 0;
        _relay.BeforeRead = (_, _) => Interlocked.Increment(ref reads) <= 2 ? throw new RelayUnavailableException("away") : Task.CompletedTask;
        _relay.Loses = message => message.Seq == 1;

        await _relay.AcceptAsync(Drafts.Of(_key, 99, "m1"));
        await _relay.AcceptAsync(Drafts.Of(_key, 99, "m2"));

        (await peer.SeenUpToAsync("2")).Should().Equal("joined 0", "1");
        reads.Should().Be(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Heal_GapClosesByItself_ReadsNothing()
    {
        var reads = 0;
        _relay.BeforeRead = (_, _) =>
        {
            Interlocked.Increment(ref reads);
            return Task.CompletedTask;
        };
        var room = new Room(_key, new GapHealer(_relay, TimeProvider.System, NullLogger<GapHealer>.Instance).Heal);
        room.Start(0, "e1");
        room.OnMessage(Drafts.Message(_key, 2));
        room.OnMessage(Drafts.Message(_key, 1));

        await Task.Delay(300);

        reads.Should().Be(0);
        room.Seq.Should().Be(2);
    }
}
