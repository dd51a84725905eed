using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Rooms.Fanout;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;

namespace ChatServer.Tests.Rooms;

/// <summary>What those get who come and go while a room is busy.</summary>
public sealed class RoomMembershipTests
{
    private const int Limit = 20_000;

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly Room _room;

    public RoomMembershipTests() => _room = new Room(_key, _ => { });

    [Fact(Timeout = Limit)]
    public async Task OnAccepted_SenderHasLeft_GetsItsAckOnceAndNoMessage()
    {
        _room.Start(0, "e1");
        var (sender, other) = (new RoomPeer(), new RoomPeer(8));
        var member = _room.Join(sender.Connection);
        _room.Join(other.Connection);
        _room.Sending(member);
        _room.Leave(member, RoomFrames.Left(_key.RoomId));
        var own = Message(1, sender);
        _room.OnMessage(own);
        _room.OnAccepted(own, member);
        _room.OnMessage(Message(2));

        (await other.SeenUpToAsync("2")).Should().Equal("joined 0", "1");
        (await sender.SeenAsync(3)).Should().Equal("joined 0", "left", "ack 1");
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_OwnMessagesBeyondAGap_AreAckedFirst()
    {
        _room.Start(0, "e1");
        var sender = new RoomPeer();
        var member = _room.Join(sender.Connection);
        _room.Sending(member);
        _room.OnAccepted(Message(2, sender), member);
        _room.Leave(member, RoomFrames.Left(_key.RoomId));
        _room.OnMessage(Message(1));
        _room.OnAccepted(Message(2, sender), member);

        (await sender.SeenUpToAsync("left")).Should().Equal("joined 0", "ack 2");
        sender.Seen.Should().HaveCount(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_InTheMiddleOfTraffic_LeftIsTheLast()
    {
        _room.Start(0, "e1");
        var (leaver, other) = (new RoomPeer(), new RoomPeer(8));
        var member = _room.Join(leaver.Connection);
        _room.Join(other.Connection);
        for (var seq = 1; seq <= 2000; seq++)
        {
            _room.OnMessage(Message(seq));
            if (seq == 1000)
            {
                _room.Leave(member, RoomFrames.Left(_key.RoomId));
                _room.Leave(member, RoomFrames.Left(_key.RoomId));
            }
        }

        await other.SeenUpToAsync("2000");
        var seen = leaver.Seen;
        seen[0].Should().Be("joined 0");
        seen[^1].Should().Be("left");
        seen.Skip(1).SkipLast(1).Should().Equal(Enumerable.Range(1, seen.Count - 2).Select(seq => $"{seq}"));
    }

    [Fact(Timeout = Limit)]
    public async Task Join_RightAfterLeaving_TellsLeftBeforeJoined()
    {
        for (var round = 0; round < 200; round++)
        {
            var room = new Room(_key, _ => { });
            room.Start(0, "e1");
            var peer = new RoomPeer();
            var member = room.Join(peer.Connection);
            room.OnMessage(Message(1));
            room.Leave(member, RoomFrames.Left(_key.RoomId));
            room.Join(peer.Connection);
            room.OnMessage(Message(2));

            var seen = await peer.SeenUpToAsync("2");
            seen.Where(word => word.Length > 1).Should().Equal("joined 0", "left", "joined 1");
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Join_InTheMiddleOfTraffic_GetsNothingOlderAndMissesNothingNewer()
    {
        _room.Start(0, "e1");
        var peers = new List<RoomPeer>();
        for (var seq = 1; seq <= 1000; seq++)
        {
            _room.OnMessage(Message(seq));
            if (seq % 50 == 0)
            {
                var peer = new RoomPeer(seq);
                peers.Add(peer);
                _room.Join(peer.Connection);
            }
        }

        _room.OnMessage(Message(1001));
        for (var index = 0; index < peers.Count; index++)
        {
            var joined = 50 * (index + 1);
            (await peers[index].SeenUpToAsync("1001")).Should()
                .Equal([$"joined {joined}", .. Enumerable.Range(joined + 1, 1000 - joined).Select(seq => $"{seq}")]);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task JoinAgain_IsAFreshViewInItsPlace()
    {
        _room.Start(3, "e1");
        var peer = new RoomPeer();
        var member = _room.Join(peer.Connection);
        _room.OnMessage(Message(4));
        _room.JoinAgain(member);
        _room.OnMessage(Message(5));

        (await peer.SeenAsync(4)).Should().Equal("joined 3", "4", "joined 4", "5");
    }

    private RelayedMessage Message(long seq, RoomPeer? sender = null) => Drafts.Message(_key, seq, origin: sender?.Connection.Id ?? 1);
}
