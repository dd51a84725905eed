using System.Security.Cryptography;
using System.Text;
using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Rooms.Fanout;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Rooms;

public sealed class RoomTests
{
    private const int Limit = 20_000;

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly Room _room;
    private int _gaps;

    public RoomTests() => _room = new Room(_key, _ => Interlocked.Increment(ref _gaps));

    [Fact(Timeout = Limit)]
    public async Task OnMessage_OutOfOrderAndTwice_IsDeliveredInOrderOnce()
    {
        _room.Start(10, "e1");
        var peer = new RoomPeer();
        _room.Join(peer.Connection);

        foreach (var seq in (long[])[12, 11, 12, 11, 14, 15, 13, 10, 9, 16])
        {
            _room.OnMessage(Message(seq));
        }

        (await UpToEndAsync(peer)).Should().Equal("joined 10", "11", "12", "13", "14", "15", "16");
        _room.Seq.Should().Be(16);
    }

    [Fact(Timeout = Limit)]
    public async Task OnMessage_BeforeStart_WaitsAndWhatTheHeadCoversIsDropped()
    {
        _room.OnMessage(Message(4));
        _room.OnMessage(Message(7));
        _room.OnMessage(Message(6));
        _room.Seq.Should().Be(-1);
        _room.Start(5, "e1");
        var peer = new RoomPeer();
        _room.Join(peer.Connection);
        _room.OnMessage(Message(8));

        (await UpToEndAsync(peer)).Should().Equal("joined 7", "8");
        _gaps.Should().Be(0);
    }

    /// <summary>A burst says nothing about how fast a member reads; and who comes in its middle gets nothing from before.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task OnMessage_BurstOverAMembersLimit_ReachesItWhole(bool deflates)
    {
        _room.Start(0, "e1");
        var (peer, late) = (new RoomPeer(queueBytes: 128 * 1024, deflates: deflates), new RoomPeer(8, queueBytes: 128 * 1024));
        var member = _room.Join(peer.Connection);
        await peer.SeenUpToAsync("joined 0");
        peer.Outbound.Stall();
        late.Outbound.Stall();
        for (var seq = 1; seq <= 40; seq++)
        {
            var json = Drafts.Of(_key, 9, $"m{seq}", Convert.ToHexString(RandomNumberGenerator.GetBytes(30_000))).Json.Number(seq);
            _room.OnMessage(new(seq, "e1", 0, json));
            if (seq == 20)
            {
                _room.Join(late.Connection);
            }
        }

        await Task.Delay(100);
        peer.Connection.SendText("{\"type\":\"pong\"}"u8).Should().BeTrue("what is for it alone has room of its own");
        peer.Outbound.Flow();
        late.Outbound.Flow();

        await peer.SeenUpToAsync("40");
        await peer.SeenUpToAsync("pong");
        peer.Seen.Where(word => word != "pong").Should().Equal(["joined 0", .. Enumerable.Range(1, 40).Select(seq => $"{seq}")]);
        (await late.SeenUpToAsync("40")).Should().Equal(["joined 20", .. Enumerable.Range(21, 19).Select(seq => $"{seq}")]);
        member.Connection.IsClosing.Should().BeFalse();
    }

    [Fact]
    public void Start_AGapIsThereAlready_IsTold()
    {
        _room.OnMessage(Message(5));
        _room.OnMessage(Message(7));
        _gaps.Should().Be(0);

        _room.Start(4, "e1");

        _room.Seq.Should().Be(5);
        _gaps.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task OnMessage_BeyondAGap_WaitsUntilItIsFilledAndTellsOnce()
    {
        _room.Start(0, "e1");
        var peer = new RoomPeer();
        _room.Join(peer.Connection);
        _room.OnMessage(Message(1));
        _room.OnMessage(Message(3));
        _room.OnMessage(Message(5));
        _room.OnMessage(Message(4));

        (_room.Seq, _room.HasLostTrack, _gaps).Should().Be((1, true, 1));
        await peer.SeenUpToAsync("1");
        _room.OnMessage(Message(2));

        (await UpToEndAsync(peer)).Should().Equal("joined 0", "1", "2", "3", "4", "5");
        (_room.HasLostTrack, _gaps).Should().Be((false, 1));
        _room.TryEndTracking().Should().BeTrue();
        _room.OnMessage(Message(9));
        _gaps.Should().Be(2, "a new gap is told again");
    }

    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task OnAccepted_WhicheverCopyIsFirst_GivesTheAckOnceInTheMessagesPlace(bool relayFirst)
    {
        _room.Start(0, "e1");
        var (sender, twin, other) = (new RoomPeer(), new RoomPeer(), new RoomPeer(8));
        var member = _room.Join(sender.Connection);
        _room.Join(twin.Connection);
        _room.Join(other.Connection);
        var own = Message(2, sender);
        _room.Sending(member);
        _room.OnMessage(Message(1));
        if (relayFirst)
        {
            _room.OnMessage(own);
            _room.OnAccepted(own, member);
        }
        else
        {
            _room.OnAccepted(own, member);
            _room.OnMessage(own);
        }

        _room.OnMessage(Message(3));

        (await UpToEndAsync(sender)).Should().Equal("joined 0", "1", "ack 2", "3");
        (await UpToEndAsync(twin)).Should().Equal(["joined 0", "1", "2", "3"], "the user's other connections get the message");
        (await UpToEndAsync(other)).Should().Equal("joined 0", "1", "2", "3");
    }

    [Fact(Timeout = Limit)]
    public async Task OnAccepted_BeforeWhatCameEarlier_AcksInItsPlace()
    {
        _room.Start(0, "e1");
        var sender = new RoomPeer();
        var member = _room.Join(sender.Connection);
        _room.Sending(member);
        _room.OnAccepted(Message(2, sender), member);
        _room.OnAccepted(Message(3, sender), member);
        _room.OnMessage(Message(1));

        (await UpToEndAsync(sender)).Should().Equal("joined 0", "1", "ack 2", "ack 3");
    }

    [Fact(Timeout = Limit)]
    public async Task OnAccepted_Ack_SaysWhatTheMessageSays()
    {
        _room.Start(0, "e1");
        var sender = new RoomPeer();
        var member = _room.Join(sender.Connection);
        _room.Sending(member);
        _room.OnAccepted(Drafts.Message(_key, 1, origin: sender.Connection.Id, identifier: "q\"ü\\"), member);
        await sender.SeenUpToAsync("ack 1");

        var ack = sender.Outbound.Texts[^1];
        ack.ToJsonString().Should().Be(new System.Text.Json.Nodes.JsonObject
        {
            ["type"] = "ack", ["success"] = true, ["room_id"] = _key.RoomId, ["identifier"] = "q\"ü\\", ["seq"] = 1,
                ["timestamp"] = "2026-01-01T10:00:00.000Z",
        }.ToJsonString());
    }

    [Fact(Timeout = Limit)]
    public async Task OnRepeat_InAndOutOfTheRoom_GivesTheAck()
    {
        _room.Start(5, "e1");
        var (peer, other) = (new RoomPeer(), new RoomPeer(8));
        var member = _room.Join(peer.Connection);
        _room.Join(other.Connection);
        var ack = RoomFrames.Ack(new Ack(_key.RoomId, "a1"u8, 3, "t"u8));
        _room.OnRepeat(member, ack);
        (await peer.SeenUpToAsync("ack 3")).Should().Equal("joined 5");
        _room.Leave(member, RoomFrames.Left(_key.RoomId));
        _room.OnRepeat(member, ack);

        (await peer.SeenAsync(4)).Should().Equal("joined 5", "ack 3", "left", "ack 3");
        (await UpToEndAsync(other)).Should().Equal("joined 5");
    }

    [Fact(Timeout = Limit)]
    public async Task OnNotice_ThatMayWait_LeavesWithTheNextMessageOrAfterAWhile()
    {
        var time = new FakeTimeProvider();
        var room = new Room(_key, _ => { }, time);
        room.Start(0, "e1");
        var peer = new RoomPeer();
        room.Join(peer.Connection);
        await peer.SeenAsync(1);

        room.OnNotice(new(0, 0, "{\"type\":\"first\"}"u8.ToArray()) { MayWait = true });
        room.OnNotice(new(0, 0, "{\"type\":\"second\"}"u8.ToArray()) { MayWait = true });
        await Task.Delay(100);
        peer.Seen.Should().Equal("joined 0");
        room.OnMessage(Message(1));
        (await peer.SeenAsync(4)).Should().Equal("joined 0", "first", "second", "1");
        peer.Outbound.Writes.Should().Be(2);

        time.Advance(TimeSpan.FromMilliseconds(200));
        room.OnNotice(new(0, 0, "{\"type\":\"third\"}"u8.ToArray()) { MayWait = true });
        await Task.Delay(100);
        peer.Seen.Should().HaveCount(4);
        time.Advance(TimeSpan.FromMilliseconds(200));
        (await peer.SeenAsync(5)).Should().EndWith("third");
    }

    [Fact(Timeout = Limit)]
    public async Task OnNotice_LeavesOutAUserOrAConnection()
    {
        _room.Start(0, "e1");
        var (one, twin, other) = (new RoomPeer(7), new RoomPeer(7), new RoomPeer(8));
        foreach (var peer in (RoomPeer[])[one, twin, other])
        {
            _room.Join(peer.Connection);
        }

        Notify("all", 0, 0);
        Notify("not-user-7", 7, 0);
        Notify("not-one", 0, one.Connection.Id);
        Notify("not-user-8-nor-twin", 8, twin.Connection.Id);

        (await UpToEndAsync(one)).Should().Equal("joined 0", "all", "not-user-8-nor-twin");
        (await UpToEndAsync(twin)).Should().Equal("joined 0", "all", "not-one");
        (await UpToEndAsync(other)).Should().Equal("joined 0", "all", "not-user-7", "not-one");
    }

    [Fact(Timeout = Limit)]
    public async Task OnMessage_OneMemberIsSlow_TheOthersGetEverythingAndItIsClosed()
    {
        _room.Start(0, "e1");
        var time = new FakeTimeProvider();
        var (slow, quick) = (new RoomPeer(7, queueBytes: 4096, time: time), new RoomPeer(8));
        slow.Outbound.Stall();
        _room.Join(slow.Connection);
        _room.Join(quick.Connection);
        await quick.SeenAsync(1);
        for (var seq = 1; seq <= 500; seq++)
        {
            _room.OnMessage(Message(seq));
        }

        (await UpToEndAsync(quick)).Should().HaveCount(501);
        slow.Connection.IsClosing.Should().BeFalse("it may be about to read");
        time.Advance(ConnectionOptions.SlowAfter);
        _room.OnMessage(Message(501));
        await quick.SeenUpToAsync("501");
        await Eventually.TrueAsync(() => slow.Connection.IsClosing, TimeSpan.FromSeconds(5), () => "the slow one is to be shown out");
        slow.Outbound.Flow();
        await Eventually.TrueAsync(
            () => slow.Outbound.CloseCodes.Count > 0, TimeSpan.FromSeconds(5), () => "no close frame");
        slow.Outbound.CloseCodes.Should().Equal(4001);
        slow.Seen.Skip(1).Should().Equal(Enumerable.Range(1, slow.Seen.Count - 1).Select(seq => $"{seq}"), "what it got is whole");
    }

    /// <summary>Thousands come back at once after a restart: what is delivered meanwhile is kept once, not for each of them.</summary>
    [Fact]
    public void StartReplay_Thousands_CostADeliveryNoMore()
    {
        _room.Start(0, "e1");
        for (var newcomer = 0; newcomer < 3000; newcomer++)
        {
            _room.StartReplay();
        }

        var messages = Enumerable.Range(1, 1000).Select(seq => Message(seq)).ToList();
        var before = GC.GetAllocatedBytesForCurrentThread();
        messages.ForEach(_room.OnMessage);

        (GC.GetAllocatedBytesForCurrentThread() - before).Should().BeLessThan(20_000_000);
    }

    private RelayedMessage Message(long seq, RoomPeer? sender = null) => Drafts.Message(_key, seq, origin: sender?.Connection.Id ?? 1);

    private void Notify(string type, long exceptUser, ulong exceptConnection) =>
        _room.OnNotice(new(exceptUser, exceptConnection, Encoding.UTF8.GetBytes($"{{\"type\":\"{type}\"}}")));

    /// <summary>Everything up to now.</summary>
    private async Task<IReadOnlyList<string>> UpToEndAsync(RoomPeer peer)
    {
        Notify($"end{peer.Connection.IdText}", 0, 0);
        return [.. (await peer.SeenUpToAsync($"end{peer.Connection.IdText}"))
            .Where(word => !word.StartsWith("end", StringComparison.Ordinal))];
    }
}
