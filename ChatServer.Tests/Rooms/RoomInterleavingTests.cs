using System.Collections.Concurrent;
using ChatServer.Backplane;
using ChatServer.Rooms;
using ChatServer.Rooms.Fanout;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Rooms;

/// <summary>
/// Both copies of every message from several threads, in an order that only nearly follows the seqs, while members come, send and go. The
/// oracle: each stay in the room is <c>joined s</c>, then s+1, s+2 … without a hole, the own ones as acks, then <c>left</c>; whoever stays
/// gets all.
/// </summary>
public sealed class RoomInterleavingTests
{
    private const int Messages = 400;
    private const int Senders = 4;
    private const string Last = "400";
    private const string JoinedLast = $"joined {Last}";

    public static TheoryData<int> Seeds => [.. Enumerable.Range(1, 20)];

    [Theory(Timeout = 30_000)]
    [MemberData(nameof(Seeds))]
    public async Task Room_SeveralThreads_EachMemberSeesTheRoomWhole(int seed)
    {
        var key = Drafts.NewRoom();
        var room = new Room(key, _ => { });
        room.Start(0, "e1");
        var senders = Enumerable.Range(0, Senders).Select(user => new RoomPeer(user + 1)).ToList();
        var members = senders.Select(peer => room.Join(peer.Connection)).ToList();
        var messages = Enumerable.Range(1, Messages).Select(seq => (Seq: seq, Sender: new Random((seed * 10_000) + seq).Next(Senders + 1)))
            .ToList();
        members.ForEach(room.Sending);
        var guests = new ConcurrentBag<RoomPeer>();

        await Task.WhenAll(
            Task.Run(() => Offer(Shuffled(seed + 100), (message, _) => room.OnMessage(message))),
            Task.Run(() => Offer(Shuffled(seed + 200).Where(message => message.Sender < Senders),
                (message, sender) => room.OnAccepted(message, members[sender]))),
            Task.Run(() => ComeAndGo(seed + 300)),
            Task.Run(() => ComeAndGo(seed + 400)));

        foreach (var sender in senders)
        {
            await Eventually.TrueAsync(
                () => sender.Seen.Count > Messages, TimeSpan.FromSeconds(10), () => $"a sender got {sender.Seen.Count}");
            var own = senders.IndexOf(sender);
            sender.Seen.Should()
                .Equal(["joined 0", .. messages.Select(message => message.Sender == own ? $"ack {message.Seq}" : $"{message.Seq}")]);
        }

        foreach (var guest in guests)
        {
            await Eventually.TrueAsync(
                () => guest.Seen is [.., "left" or Last or JoinedLast], TimeSpan.FromSeconds(10), () => string.Join(' ', guest.Seen));
            CheckStay(guest.Seen);
        }

        // Nearly in order: each may come up to 8 places early or late.
        IEnumerable<(int Seq, int Sender)> Shuffled(int salt)
        {
            var random = new Random(salt);
            return messages.Select(message => (message, At: message.Seq + random.Next(8))).OrderBy(pair => pair.At)
                .Select(pair => pair.message).ToList();
        }

        void Offer(IEnumerable<(int Seq, int Sender)> order, Action<RelayedMessage, int> offer)
        {
            foreach (var (seq, sender) in order)
            {
                offer(Drafts.Message(key, seq, origin: sender < Senders ? senders[sender].Connection.Id : 1), sender);
            }
        }

        void ComeAndGo(int salt)
        {
            var random = new Random(salt);
            for (var guest = 0; guest < 20; guest++)
            {
                var peer = new RoomPeer(100 + guest);
                guests.Add(peer);
                var member = room.Join(peer.Connection);
                Thread.SpinWait(random.Next(20_000));
                if (random.Next(3) > 0)
                {
                    room.Leave(member, RoomFrames.Left(key.RoomId));
                }
            }
        }
    }

    private static void CheckStay(IReadOnlyList<string> seen)
    {
        seen[0].Should().StartWith("joined ");
        var start = int.Parse(seen[0]["joined ".Length..]);
        var rest = seen[^1] == "left" ? seen.Skip(1).SkipLast(1).ToList() : [.. seen.Skip(1)];
        rest.Should().Equal(Enumerable.Range(start + 1, rest.Count).Select(seq => $"{seq}"));
        if (seen[^1] != "left")
        {
            (start + rest.Count).Should().Be(Messages);
        }
    }
}
