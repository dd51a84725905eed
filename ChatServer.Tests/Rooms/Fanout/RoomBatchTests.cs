using ChatServer.Backplane;
using ChatServer.Rooms;
using ChatServer.Rooms.Fanout;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;

namespace ChatServer.Tests.Rooms.Fanout;

public sealed class RoomBatchTests
{
    private readonly Room _room = new(Drafts.NewRoom(), _ => { });
    private readonly MemberTable _members = new();
    private readonly RoomBatch _batch = new();

    [Fact]
    public void SendTo_DirectsAndExceptions_StandInTheirPlace()
    {
        var (one, two, three) = (Enter(1), Enter(2), Enter(3));
        _batch.AddMessage(Drafts.Message(_room.Key, 1), null);
        _batch.AddMessage(Drafts.Message(_room.Key, 2), one.Member);
        _batch.AddAck(one.Member, Drafts.Message(_room.Key, 2));
        _batch.AddMessage(Drafts.Message(_room.Key, 3), two.Member);
        _batch.AddAck(two.Member, Drafts.Message(_room.Key, 3));
        _batch.AddMessage(Drafts.Message(_room.Key, 4), one.Member);
        _batch.AddAck(one.Member, Drafts.Message(_room.Key, 4));

        _batch.SendTo(_members.Snapshot.Span);

        one.Peer.Seen.Should().Equal("1", "ack 2", "3", "ack 4");
        two.Peer.Seen.Should().Equal("1", "2", "ack 3", "4");
        three.Peer.Seen.Should().Equal("1", "2", "3", "4");
    }

    [Fact]
    public void SendTo_CostsEachMemberOneWrite()
    {
        var (sender, other, leaver) = (Enter(1), Enter(2), Enter(3));
        for (var seq = 1; seq <= 3; seq++)
        {
            _batch.AddMessage(Drafts.Message(_room.Key, seq), sender.Member);
            _batch.AddAck(sender.Member, Drafts.Message(_room.Key, seq));
        }

        _batch.AddMessage(Drafts.Message(_room.Key, 4), other.Member);
        _batch.AddAck(other.Member, Drafts.Message(_room.Key, 4));
        _members.Remove(leaver.Member);
        _batch.AddDirect(leaver.Member, RoomFrames.Left(_room.Key.RoomId));

        _batch.SendTo(_members.Snapshot.Span);

        sender.Peer.Seen.Should().Equal("ack 1", "ack 2", "ack 3", "4");
        other.Peer.Seen.Should().Equal("1", "2", "3", "ack 4");
        leaver.Peer.Seen.Should().Equal("left");
        new[] { sender, other, leaver }.Should().OnlyContain(one => one.Peer.Outbound.Writes == 1);
    }

    [Fact]
    public void SendTo_ANewcomer_GetsItsFirstFrameAndNothingFromBefore()
    {
        var old = Enter(1);
        _batch.AddMessage(Drafts.Message(_room.Key, 1), null);
        var newcomer = Enter(2);
        _batch.AddFirst(newcomer.Member, RoomFrames.Joined(_room.Key.RoomId, 1, "e1", recovered: false));
        _batch.AddMessage(Drafts.Message(_room.Key, 2), newcomer.Member);
        _batch.AddAck(newcomer.Member, Drafts.Message(_room.Key, 2));
        _batch.AddMessage(Drafts.Message(_room.Key, 3), null);

        _batch.SendTo(_members.Snapshot.Span);

        newcomer.Peer.Seen.Should().Equal("joined 1", "ack 2", "3");
        old.Peer.Seen.Should().Equal("1", "2", "3");
    }

    [Fact]
    public void SendTo_SomeoneHasLeft_GetsAcksAlone()
    {
        var leaver = Enter(1);
        _batch.AddMessage(Drafts.Message(_room.Key, 1), leaver.Member);
        _batch.AddAck(leaver.Member, Drafts.Message(_room.Key, 1));
        _batch.AddMessage(Drafts.Message(_room.Key, 2), null);
        _members.Remove(leaver.Member);
        _batch.AddDirect(leaver.Member, RoomFrames.Left(_room.Key.RoomId));

        _batch.SendTo(_members.Snapshot.Span);

        leaver.Peer.Seen.Should().Equal("ack 1", "left");
    }

    [Fact]
    public void Clear_LeavesAnEmptyBatchThatWorksAgain()
    {
        var one = Enter(1);
        for (var round = 1; round <= 3; round++)
        {
            _batch.IsEmpty.Should().BeTrue();
            _batch.AddMessage(Drafts.Message(_room.Key, round), one.Member);
            _batch.AddAck(one.Member, Drafts.Message(_room.Key, round));
            _batch.IsEmpty.Should().BeFalse();
            _batch.SendTo(_members.Snapshot.Span);
            _batch.Clear();
        }

        one.Peer.Seen.Should().Equal("ack 1", "ack 2", "ack 3");
    }

    [Fact]
    public void AddMessage_LargeAndMany_KeepsEveryByte()
    {
        var one = Enter(1);
        for (var seq = 1; seq <= 20; seq++)
        {
            _batch.AddMessage(seq % 2 == 0
                ? new(seq, "e1", 1, Drafts.Of(_room.Key, 7, "a", new string('ü', 60_000)).Json.Number(seq))
                : Drafts.Message(_room.Key, seq), null);
        }

        _batch.SendTo(_members.Snapshot.Span);

        one.Peer.Seen.Should().Equal(Enumerable.Range(1, 20).Select(seq => $"{seq}"));
        one.Peer.Outbound.Texts[1]["messages"]![0]!["body"]!.GetValue<string>().Should().Be(new string('ü', 60_000));
    }

    [Fact]
    public void SendTo_ThoseWhoDeflate_GetTheSameInFewerBytes()
    {
        var (plain, small) = (Enter(1), Enter(2, deflates: true));
        for (var round = 0; round < 2; round++)
        {
            _batch.AddMessage(Drafts.Message(_room.Key, 1), plain.Member);
            _batch.AddAck(plain.Member, Drafts.Message(_room.Key, 1));
            _batch.AddMessage(Drafts.Message(_room.Key, 2), small.Member);
            _batch.AddAck(small.Member, Drafts.Message(_room.Key, 2));
            var newcomer = Enter(3 + round, deflates: true);
            _batch.AddFirst(newcomer.Member, RoomFrames.Joined(_room.Key.RoomId, 2, "e1", recovered: false));
            _batch.AddMessage(Drafts.Message(_room.Key, 3), null);
            _batch.AddNotice("{\"type\":\"x\"}"u8, _members.Snapshot.Span, new RoomNotice(1, 0, default));

            _batch.SendTo(_members.Snapshot.Span);
            _batch.Clear();

            newcomer.Peer.Seen.Should().Equal("joined 2", "3", "x");
        }

        plain.Peer.Seen.Should().Equal("ack 1", "2", "3", "ack 1", "2", "3");
        small.Peer.Seen.Should().Equal("1", "ack 2", "3", "x", "1", "ack 2", "3", "x");
        small.Peer.Outbound.Length.Should().BeLessThan(plain.Peer.Outbound.Length * 95 / 100);
    }

    private (RoomPeer Peer, Member Member) Enter(long user, bool deflates = false)
    {
        var peer = new RoomPeer(user, deflates: deflates);
        var member = new Member(peer.Connection);
        _members.Add(member);
        return (peer, member);
    }
}
