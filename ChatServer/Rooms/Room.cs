using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Rooms;

/// <summary>
/// A room on this node: its members, and what they get, in seq order. Messages come from the backplane and, sooner, from the accept step of
/// this node itself; whichever copy is first is delivered, the other one is dropped by its seq. Its pump sends.
/// </summary>
internal sealed class Room : IRoomListener
{
    private readonly Action<Room> _lostTrack;
    private readonly RoomSequence _sequence;
    private readonly Lock _gate = new();
    private readonly MemberTable _members = new();
    private readonly Dictionary<ulong, RoomMember> _senders = [];
    private readonly ReplayBuffer _replays = new();
    private readonly RoomPump _pump;

    /// <param name="lostTrack">
    /// Called, outside the lock, when messages lie beyond a gap or belong to another epoch; it has the log merged in (<see cref="Merge"/>).
    /// </param>
    /// <param name="time">Measures how long notices wait.</param>
    public Room(RoomKey key, Action<Room> lostTrack, TimeProvider? time = null)
    {
        (Key, _lostTrack) = (key, lostTrack);
        _sequence = new(Deliver);
        _pump = new(_gate, _members, time ?? TimeProvider.System);
    }

    public RoomKey Key { get; }

    /// <summary>The seq up to which everything has been handed to the members; -1 before <see cref="Start"/>.</summary>
    public long Seq
    {
        get
        {
            lock (_gate)
            {
                return _sequence.Seq;
            }
        }
    }

    /// <summary>Who is here now; <see cref="Member.HasLeft"/> tells who has left since.</summary>
    public IReadOnlyList<RoomMember> Members
    {
        get
        {
            lock (_gate)
            {
                return [.. _members.Snapshot.ToArray().OfType<RoomMember>()];
            }
        }
    }

    /// <summary>Whether there is a gap or another epoch, which only the log can resolve.</summary>
    public bool HasLostTrack
    {
        get
        {
            lock (_gate)
            {
                return _sequence.HasLostTrack;
            }
        }
    }

    /// <summary>Whether it has begun to deliver.</summary>
    public bool IsStarted => Seq >= 0;

    /// <summary>What this node knows of the room's numbering.</summary>
    public RoomPosition Position => Mark.Position;

    /// <summary>What <see cref="Merge"/> has to know of the moment at which the log was asked.</summary>
    public RoomMark Mark
    {
        get
        {
            lock (_gate)
            {
                return _sequence.Mark;
            }
        }
    }

    /// <summary>Begins to deliver, after <paramref name="head"/>; messages that came before this call are waiting already.</summary>
    public void Start(long head, string epoch)
    {
        lock (_gate)
        {
            _sequence.Start(head, epoch);
            _pump.Start();
            if (!_sequence.TryBeginTracking())
            {
                return;
            }
        }

        _lostTrack(this);
    }

    /// <summary>
    /// A fresh view, if the connection's user still may enter at that moment: the member gets <c>joined</c>, then everything that comes
    /// after it.
    /// </summary>
    /// <returns>Null if the user may not.</returns>
    public RoomMember? TryJoin(Connection connection, RoomPermit permit)
    {
        lock (_gate)
        {
            // Whoever comes to put people out changes what the permit says first, and then asks this room for its members.
            return permit.Holds ? Attach(connection, Joined()) : null;
        }
    }

    /// <summary>Answers a join of somebody who is here already, with no replay.</summary>
    public void JoinAgain(RoomMember member)
    {
        lock (_gate)
        {
            _pump.Next.AddDirect(member, Joined());
            _pump.Start();
        }
    }

    /// <summary>Begins to keep what is delivered from now on, for a newcomer that reads the log meanwhile.</summary>
    public void StartReplay()
    {
        lock (_gate)
        {
            _replays.Start();
        }
    }

    /// <summary>A newcomer has come in, or gone away; once for each <see cref="StartReplay"/>.</summary>
    public void StopReplay()
    {
        lock (_gate)
        {
            _replays.Stop();
        }
    }

    /// <summary>
    /// Takes a newcomer in that has everything up to <paramref name="seen"/>, if what is kept for newcomers has the rest without a hole and
    /// its user still may enter at that moment.
    /// </summary>
    /// <returns>Null if not: read on.</returns>
    public RoomMember? TryJoin(Connection connection, RoomPosition seen, RoomPermit permit)
    {
        lock (_gate)
        {
            return permit.Holds && seen.Epoch == _sequence.Epoch && _replays.Covers(seen.Seq, _sequence.Seq)
                ? Attach(connection, _replays.FramesAfter(seen.Seq))
                : null;
        }
    }

    /// <summary>Takes a member out; its <c>left</c> comes after everything that it gets from this room.</summary>
    /// <param name="left">The frame; null if the connection is gone.</param>
    /// <returns>False if it had left already.</returns>
    public bool Leave(RoomMember member, byte[]? left)
    {
        lock (_gate)
        {
            if (member.HasLeft)
            {
                return false;
            }

            _members.Remove(member);
            _senders.Remove(member.Connection.Id);
            if (left is not null)
            {
                foreach (var message in _sequence.Waiting)
                {
                    if (message.Origin == member.Connection.Id)
                    {
                        AckAfterLeaving(message, member);
                    }
                }

                _pump.Next.AddDirect(member, left);
                _pump.Start();
            }

            return true;
        }
    }

    /// <summary>
    /// A member is about to send: its messages are known as its own from here on, also if the backplane's copy comes first.
    /// </summary>
    public void Sending(RoomMember member)
    {
        lock (_gate)
        {
            if (!member.HasLeft)
            {
                _senders[member.Connection.Id] = member;
            }
        }
    }

    /// <summary>
    /// A message that this node had accepted for one of its members. The member's ack takes the place of its message among those of others,
    /// so that it knows at each moment up to where it has seen the room.
    /// </summary>
    public void OnAccepted(RelayedMessage message, RoomMember sender)
    {
        OnMessage(message);
        lock (_gate)
        {
            if (sender.HasLeft)
            {
                AckAfterLeaving(message, sender);
                _pump.Start();
            }
        }
    }

    public bool Lacks(long seq, string epoch)
    {
        lock (_gate)
        {
            return seq > _sequence.Seq || epoch != _sequence.Epoch;
        }
    }

    /// <summary>Answers a message that was accepted before.</summary>
    public void OnRepeat(RoomMember sender, ReadOnlySpan<byte> ack)
    {
        lock (_gate)
        {
            _pump.Next.AddDirect(sender, ack);
            _pump.Start();
        }
    }

    public void OnMessage(RelayedMessage message)
    {
        lock (_gate)
        {
            _sequence.Add(message);
            _pump.Start();
            if (!_sequence.TryBeginTracking())
            {
                return;
            }
        }

        _lostTrack(this);
    }

    /// <summary>Puts a page of the log in its place among what has come.</summary>
    /// <param name="page">Read behind the position of <paramref name="asked"/>.</param>
    /// <param name="asked">The room's <see cref="Mark"/> from before the page was read.</param>
    /// <returns>False if there is more to read.</returns>
    public bool Merge(LogPage page, RoomMark asked)
    {
        lock (_gate)
        {
            if (asked.Position.Epoch != _sequence.Epoch)
            {
                // Somebody else has merged a page of another epoch meanwhile. Which of the two is the newer one only the log knows.
                return false;
            }

            if (page.Epoch != _sequence.Epoch && page.Continues(_sequence.Epoch, _sequence.Seq))
            {
                // Another Redis process holds the data, with all that was delivered here: only the epoch's name is new.
                _sequence.Jump(page.Epoch, _sequence.Seq);
                _pump.Next.AddForAll(Joined(recovered: true));
            }
            else if (page.Epoch != _sequence.Epoch)
            {
                // Redis lost messages that were delivered here. What it has beyond them is new to everybody, and the page was read behind a
                // seq of the old numbering.
                Restart(page.Epoch, page.EndOf(_sequence.Epoch) ?? 0);
                return false;
            }

            if (_sequence.EndOfHole(page) is { } seq)
            {
                Restart(page.Epoch, seq);
            }

            _sequence.Merge(page, asked);
            _pump.Start();
            return _sequence.Seq >= page.Head;
        }
    }

    /// <summary>The log has been read as far as it helps.</summary>
    /// <param name="giveUp">Where nobody is here, end it all the same: the next message that comes begins it anew.</param>
    /// <returns>False if the room has lost track again since, or still: start over.</returns>
    public bool TryEndTracking(bool giveUp = false)
    {
        lock (_gate)
        {
            return _sequence.TryEndTracking(giveUp && _members.Count == 0);
        }
    }

    /// <summary>Something may be missing that nothing shows yet: has the log merged in, unless that is under way.</summary>
    public void LoseTrack()
    {
        lock (_gate)
        {
            _sequence.LoseTrack();
            if (!_sequence.TryBeginTracking())
            {
                return;
            }
        }

        _lostTrack(this);
    }

    public void OnNotice(RoomNotice notice)
    {
        lock (_gate)
        {
            if (_members.Count == 0)
            {
                return;
            }

            _pump.Next.AddNotice(notice.Json.Span, _members.Snapshot.Span, notice);
            if (notice.MayWait)
            {
                _pump.StartLate();
            }
            else
            {
                _pump.Start();
            }
        }
    }

    /// <summary>Tells all members that they have to start over, and continues after <paramref name="seq"/>.</summary>
    private void Restart(string epoch, long seq)
    {
        if (epoch != _sequence.Epoch)
        {
            foreach (var member in Members)
            {
                member.AckedSeq = 0;
            }
        }

        _sequence.Jump(epoch, seq);
        _pump.Next.AddForAll(Joined());
        _replays.Clear();
        _pump.Start();
    }

    private void Deliver(RelayedMessage message)
    {
        _replays.Append(message);
        var sender = _senders.GetValueOrDefault(message.Origin);
        _pump.Next.AddMessage(message, sender);
        if (sender is not null)
        {
            sender.AckedSeq = message.Seq;
            _pump.Next.AddAck(sender, message);
        }
    }

    /// <summary>Acks a message whose sender has left the room since, unless it has its ack.</summary>
    private void AckAfterLeaving(RelayedMessage message, RoomMember sender)
    {
        if (message.Seq > sender.AckedSeq)
        {
            sender.AckedSeq = message.Seq;
            _pump.Next.AddAck(sender, message);
        }
    }

    private byte[] Joined(bool recovered = false) => RoomFrames.Joined(Key.RoomId, _sequence.Seq, _sequence.Epoch, recovered);

    private RoomMember Attach(Connection connection, byte[] first)
    {
        var member = new RoomMember(this, connection);
        _pump.Admit(member, first);
        _pump.Start();
        return member;
    }
}
