using System.Security.Cryptography;
using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Rooms;

/// <summary>
/// Many large messages at once. Whoever reads gets all of them in order and stays, however little may wait for it; who does not read is
/// closed with 4001, and nobody notices.
/// </summary>
public sealed class RoomBurstTests
{
    private const int Limit = 30_000;
    private const int QueueBytes = 128 * 1024;
    private const int Burst = 60;
    private const string Last = "60";

    /// <summary>In base 64 nearly what a text frame may hold, and nothing that compression makes much smaller.</summary>
    private static readonly string Body = Convert.ToBase64String(RandomNumberGenerator.GetBytes(45_000));

    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly FakeTimeProvider _time = new();
    private readonly BackplaneOverMemory _backplane = new();

    [Fact(Timeout = Limit)]
    public async Task ABurst_ReachesAllWhoReadAndClosesTheOneWhoDoesNot()
    {
        var room = new Room(_key, _ => { });
        room.Start(0, "e1");
        var readers = Readers(12);
        var deaf = Peer(99);
        deaf.Outbound.Stall();
        var senders = readers.Take(3).Select(reader => room.Join(reader.Connection)).ToList();
        foreach (var peer in readers.Skip(3).Append(deaf))
        {
            room.Join(peer.Connection);
        }

        senders.ForEach(room.Sending);
        for (var seq = 1; seq <= Burst; seq++)
        {
            var sender = senders[seq % senders.Count];
            room.OnAccepted(Message(seq, sender.Connection.Id), sender);
        }

        await AllSeeAsync(readers.Skip(3), ["joined 0", .. Seqs(1, Burst)]);
        foreach (var (sender, number) in readers.Take(3).Select((sender, number) => (sender, number)))
        {
            await AllSeeAsync(
                [sender], ["joined 0", .. Enumerable.Range(1, Burst).Select(seq => seq % 3 == number ? $"ack {seq}" : $"{seq}")]);
        }

        await OnlyOneIsSlowAsync(deaf, readers);
        Unbroken(deaf.Seen, 1).Should().BeLessThan(Burst, "it let go of what it did not take");
    }

    /// <summary>As over TLS: nothing leaves on the sender's thread, and the first write takes nearly all the time that a peer has.</summary>
    [Fact(Timeout = Limit)]
    public async Task ABurst_WhileEveryonesFirstWriteTakesItsTime_ClosesNobody()
    {
        var room = new Room(_key, _ => { });
        room.Start(0, "e1");
        var readers = Readers(12);
        readers.ForEach(reader => reader.Outbound.Stall());
        readers.ForEach(reader => room.Join(reader.Connection));
        for (var seq = 1; seq <= Burst; seq++)
        {
            room.OnMessage(Message(seq));
        }

        await Eventually.TrueAsync(
            () => readers.TrueForAll(reader => reader.Outbound.QueuedBytes > Burst * 40_000), TimeSpan.FromSeconds(10),
            () => "the burst does not wait whole for everybody");
        _time.Advance(ConnectionOptions.SlowAfter - TimeSpan.FromMilliseconds(1));
        readers.ForEach(reader => reader.Connection.CloseIfTooSlow());
        readers.ForEach(reader => reader.Outbound.Flow());

        await AllSeeAsync(readers, ["joined 0", .. Seqs(1, Burst)]);
        await OnlyOneIsSlowAsync(null, readers);
    }

    /// <summary>Newcomers are held up at the log by more than the room keeps for them, or by less, and more follows at once.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(10)]
    [InlineData(40)]
    public async Task ABurst_WhileNewcomersReadTheLog_ReachesAllWhoRead(int meanwhile)
    {
        var rooms = RoomParts.Directory(_backplane, QueueBytes);
        var old = Peer(1);
        await rooms.JoinAsync(old.Connection, _key, null, null);
        var epoch = await PostAsync(1, Burst - meanwhile - 5);
        var go = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var waiting = 0;
        _backplane.BeforeRead = async (after, _) =>
        {
            if (after > 0 && Interlocked.Increment(ref waiting) > 0)
            {
                await go.Task;
            }
        };
        var newcomers = Readers(10);
        var joining = newcomers.Select(newcomer => rooms.JoinAsync(newcomer.Connection, _key, 2, epoch).AsTask()).ToList();
        await Eventually.TrueAsync(
            () => Volatile.Read(ref waiting) == newcomers.Count, TimeSpan.FromSeconds(10), () => $"{waiting} newcomers read the log");

        // They have begun, so the room keeps what it delivers; their pages are read behind some of it.
        await PostAsync(Burst - meanwhile - 4, Burst - 5);
        go.SetResult();
        var members = await Task.WhenAll(joining);
        await PostAsync(Burst - 4, Burst);

        members.Should().NotContainNulls();
        await AllSeeAsync([old], ["joined 0", .. Seqs(1, Burst)]);
        await AllSeeAsync(newcomers, [$"joined {Burst - 5} recovered", .. Seqs(3, Burst)]);
        await OnlyOneIsSlowAsync(null, [old, .. newcomers]);
    }

    /// <summary>The last page is read before the burst comes, so that all of it comes out of what the room keeps for newcomers.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(false)]
    [InlineData(true)]
    public async Task ABurst_BetweenTheLastPageAndTheJoin_ReachesAllWhoReadAndClosesTheOneWhoDoesNot(bool withDeaf)
    {
        const int size = 16;
        var room = new Room(_key, _ => { });
        room.Start(5, "e1");
        var readers = Readers(8);
        var deaf = Peer(99);
        deaf.Outbound.Stall();
        readers.ForEach(reader => reader.Outbound.Stall());
        room.StartReplay();
        for (var seq = 6; seq < 6 + size; seq++)
        {
            room.OnMessage(Message(seq));
        }

        foreach (var peer in withDeaf ? readers.Append(deaf) : readers)
        {
            room.TryJoin(peer.Connection, new("e1", 5), RoomParts.Permit(room.Key)).Should().NotBeNull("the room keeps that much");
        }

        room.StopReplay();
        room.OnMessage(Message(6 + size));
        readers.ForEach(reader => reader.Outbound.Flow());
        await AllSeeAsync(readers, Seqs(6, 6 + size));
        await OnlyOneIsSlowAsync(withDeaf ? deaf : null, readers);
        Unbroken(deaf.Seen, 6);
    }

    /// <summary>Batches close while the pump sends others: who comes then gets nothing of them, and misses nothing behind them.</summary>
    [Fact(Timeout = Limit)]
    public async Task ABurst_NewcomersAllThroughIt_EachSeesTheRoomWholeFromItsJoinOn()
    {
        for (var round = 0; round < 5; round++)
        {
            var room = new Room(_key, _ => { });
            room.Start(0, "e1");
            var readers = new List<(RoomPeer Peer, int Joined)>();
            for (var seq = 1; seq <= Burst; seq++)
            {
                room.OnMessage(Message(seq));
                if (seq % 5 == 0 && seq < Burst)
                {
                    var peer = Peer(seq, queuesFirst: seq % 2 == 0, deflates: seq % 3 == 0);
                    readers.Add((peer, seq));
                    if (seq % 4 == 0)
                    {
                        room.Join(peer.Connection);
                        continue;
                    }

                    room.StartReplay();
                    room.TryJoin(peer.Connection, new("e1", seq), RoomParts.Permit(room.Key)).Should().NotBeNull();
                    room.StopReplay();
                }
            }

            foreach (var (peer, joined) in readers)
            {
                await peer.SeenUpToAsync(Last);
                peer.Seen.Should().Equal([.. joined % 4 == 0 ? [$"joined {joined}"] : Array.Empty<string>(), .. Seqs(joined + 1, Burst)]);
                peer.Connection.IsClosing.Should().BeFalse();
            }
        }
    }

    private static List<string> Seqs(int first, int last) => [.. Enumerable.Range(first, last - first + 1).Select(seq => $"{seq}")];

    /// <summary>Of all kinds: plain and compressing, those to whom frames go at once and those for whom they queue first.</summary>
    private List<RoomPeer> Readers(int count) =>
        [.. Enumerable.Range(1, count).Select(user => Peer(user + 1, queuesFirst: user % 2 == 0, deflates: user % 3 == 0))];

    private RoomPeer Peer(long user, bool queuesFirst = false, bool deflates = false) =>
        new(user, QueueBytes, deflates, _time, queuesFirst);

    private static async Task AllSeeAsync(IEnumerable<RoomPeer> peers, IReadOnlyList<string> all)
    {
        foreach (var peer in peers)
        {
            await peer.SeenUpToAsync(all[^1]);
            peer.Seen.Should().Equal(all);
        }
    }

    /// <summary>Time passes, and everybody is looked at.</summary>
    private async Task OnlyOneIsSlowAsync(RoomPeer? slow, IReadOnlyList<RoomPeer> others)
    {
        foreach (var other in others)
        {
            await other.Outbound.WaitForDrainAsync(0).AsTask().WaitAsync(TimeSpan.FromSeconds(10));
        }

        slow?.Connection.CloseIfTooSlow();
        slow?.Connection.IsClosing.Should().BeFalse("it may be about to read");
        _time.Advance(ConnectionOptions.SlowAfter);
        foreach (var other in others)
        {
            other.Connection.CloseIfTooSlow();
            other.Connection.IsClosing.Should().BeFalse();
        }

        if (slow is not null)
        {
            slow.Connection.CloseIfTooSlow();
            slow.Connection.IsClosing.Should().BeTrue();
            slow.Outbound.Flow();
            await Eventually.TrueAsync(
                () => slow.Outbound.CloseCodes.Count > 0, TimeSpan.FromSeconds(10), () => "no close frame came");
            slow.Outbound.CloseCodes.Should().Equal(4001);
        }
    }

    /// <summary>What a member got before it was closed has no hole.</summary>
    /// <returns>How many messages it got.</returns>
    private static int Unbroken(IReadOnlyList<string> seen, int first)
    {
        var seqs = seen.Where(word => !word.StartsWith("joined", StringComparison.Ordinal)).ToList();
        seqs.Should().Equal(Seqs(first, first + seqs.Count - 1));
        return seqs.Count;
    }

    private RelayedMessage Message(long seq, ulong origin = 0) =>
        new(seq, "e1", origin, Drafts.Of(_key, 1, $"m{seq}", Body, origin).Json.Number(seq));

    /// <returns>The room's epoch.</returns>
    private async Task<string> PostAsync(int first, int last)
    {
        for (var number = first; number <= last; number++)
        {
            await _backplane.AcceptAsync(Drafts.Of(_key, 99, $"m{number}", Body));
        }

        return (await _backplane.ReadAsync(_key, 0, 0)).Epoch;
    }
}
