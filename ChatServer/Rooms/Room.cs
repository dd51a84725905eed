using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// A room on this node: puts what arrives into seq order, and sends it to the local members. Messages come from the relay and, sooner, from the accept step
/// of this node itself; whichever copy is first is delivered, the other one is dropped by its seq.
/// A pump sends: what arrives while it is at work is joined and leaves in one write per member.
/// </summary>
/// <param name="lostTrack">
/// Called, outside the lock, when messages lie beyond a gap or belong to another epoch; it has the log merged in (<see cref="Merge"/>).
/// </param>
internal sealed class Room(RoomKey key, Action<Room> lostTrack) : IRoomListener, IThreadPoolWorkItem
{
    /// <summary>Messages beyond a gap, by seq.</summary>
    private readonly SortedList<long, RelayedMessage> _ahead = [];
    private readonly Lock _gate = new();
    private readonly MemberTable _members = new();
    private readonly Dictionary<ulong, Member> _senders = [];
    private RoomBatch _filling = new();
    private RoomBatch _spare = new();
    private RoomTail? _tail;
    private long _seq = -1;
    private string _epoch = "";
    private bool _isAstray;
    private bool _isTracking;
    private bool _pumping;

    public RoomKey Key => key;

    /// <summary>The seq up to which everything has been handed to the members; -1 before <see cref="Start"/>.</summary>
    public long Seq
    {
        get
        {
            lock (_gate)
            {
                return _seq;
            }
        }
    }

    /// <summary>Who is here now; those that have left meanwhile say so themselves.</summary>
    public IReadOnlyList<Member> Members
    {
        get
        {
            lock (_gate)
            {
                return [.. _members.Snapshot.ToArray().OfType<Member>()];
            }
        }
    }

    /// <summary>Whether there is something that only the log can put right.</summary>
    public bool HasLostTrack
    {
        get
        {
            lock (_gate)
            {
                return _isAstray || _ahead.Count > 0;
            }
        }
    }

    /// <summary>Whether it has begun to deliver.</summary>
    public bool IsStarted => Seq >= 0;

    /// <summary>What this node knows of the room's numbering.</summary>
    public RoomMark Mark
    {
        get
        {
            lock (_gate)
            {
                return new(_epoch, Math.Max(0, _seq));
            }
        }
    }

    /// <summary>Begins to deliver, after <paramref name="head"/>; what came before it waits already.</summary>
    public void Start(long head, string epoch)
    {
        lock (_gate)
        {
            _seq = head;
            _epoch = epoch;
            while (_ahead.Count > 0 && _ahead.Keys[0] <= head)
            {
                _ahead.RemoveAt(0);
            }

            Advance();
            if (_ahead.Count == 0)
            {
                return;
            }

            _isTracking = true;
        }

        lostTrack(this);
    }

    /// <summary>A fresh view: the member gets <c>joined</c>, then everything that comes after it.</summary>
    public Member Join(Connection connection)
    {
        lock (_gate)
        {
            return Attach(connection, RoomFrames.Joined(key.RoomId, _seq, _epoch, recovered: false));
        }
    }

    /// <summary>Answers a join of somebody who is here already, with no replay.</summary>
    public void JoinAgain(Member member)
    {
        lock (_gate)
        {
            _filling.AddDirect(member, RoomFrames.Joined(key.RoomId, _seq, _epoch, recovered: false));
            Pump();
        }
    }

    /// <summary>Begins to keep what is delivered from now on, for a newcomer that reads the log meanwhile.</summary>
    public RoomTail StartTail()
    {
        lock (_gate)
        {
            return _tail = new RoomTail(_seq, _tail);
        }
    }

    public void StopTail(RoomTail tail)
    {
        lock (_gate)
        {
            _tail = RoomTail.Remove(_tail, tail);
        }
    }

    /// <summary>Takes a newcomer in that has everything up to <paramref name="seen"/>, where the tail holds the rest without a hole.</summary>
    /// <returns>Null where it doesn't: read on.</returns>
    public Member? TryJoin(Connection connection, RoomMark seen, RoomTail tail)
    {
        lock (_gate)
        {
            return seen.Epoch == _epoch && tail.Covers(seen.Seq, _seq) ? Attach(connection, tail.FramesAfter(seen.Seq)) : null;
        }
    }

    /// <summary>Takes a member out; its <c>left</c> comes after everything that it gets from this room.</summary>
    /// <param name="left">The frame; null where the connection is gone.</param>
    /// <returns>False where it had left already.</returns>
    public bool Leave(Member member, byte[]? left)
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
                foreach (var message in _ahead.Values)
                {
                    if (message.Origin == member.Connection.Id)
                    {
                        AckParted(message, member);
                    }
                }

                _filling.AddDirect(member, left);
                Pump();
            }

            return true;
        }
    }

    /// <summary>A member is about to send: its messages are known as its own from here on, also when the relay's copy comes first.</summary>
    public void Sending(Member member)
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
    /// A message that this node had accepted for one of its members. The member's ack takes the place of its message among those of others, so that it knows
    /// at each moment up to where it has seen the room.
    /// </summary>
    public void OnAccepted(RelayedMessage message, Member sender)
    {
        OnMessage(message);
        lock (_gate)
        {
            if (sender.HasLeft)
            {
                AckParted(message, sender);
                Pump();
            }
        }
    }

    /// <summary>Answers a message that was accepted before.</summary>
    public void OnRepeat(Member sender, byte[] ack)
    {
        lock (_gate)
        {
            _filling.AddDirect(sender, ack);
            Pump();
        }
    }

    public void OnMessage(RelayedMessage message)
    {
        lock (_gate)
        {
            if (_seq >= 0 && message.Epoch != _epoch)
            {
                // Which of two epochs is the younger one only the log knows; it has the message too.
                _isAstray = true;
            }
            else if (message.Seq <= _seq)
            {
                // The relay's copy of what the accept step brought, or the other way round.
                return;
            }
            else
            {
                _ahead[message.Seq] = message;
                Advance();
            }

            if (_seq < 0 || !(_isAstray || _ahead.Count > 0) || _isTracking)
            {
                return;
            }

            _isTracking = true;
        }

        lostTrack(this);
    }

    /// <summary>Puts a page of the log, read behind this room's <see cref="Mark"/>, in its place among what has come.</summary>
    /// <returns>False where there is more to read.</returns>
    public bool Merge(LogPage page)
    {
        lock (_gate)
        {
            if (page.Epoch != _epoch)
            {
                // Redis lost its data: everything in the new numbering is new to everybody here.
                Restart(page.Epoch, 0);
                return false;
            }

            _isAstray = false;
            if (page.Messages.Count > 0 ? page.Messages[0].Seq > _seq + 1 : page.Head > _seq)
            {
                // What is missing is held no more.
                Restart(_epoch, page.Messages.Count > 0 ? page.Messages[0].Seq - 1 : page.Head);
            }

            foreach (var message in page.Messages)
            {
                if (message.Seq > _seq)
                {
                    _ahead[message.Seq] = message;
                }
            }

            Advance();
            return _seq >= page.Head;
        }
    }

    /// <summary>The log has been read as far as it helps.</summary>
    /// <returns>False where something has gone astray since: begin again.</returns>
    public bool TryEndTracking()
    {
        lock (_gate)
        {
            return !(_isTracking = _isAstray || _ahead.Count > 0);
        }
    }

    public void OnNotice(RoomNotice notice)
    {
        lock (_gate)
        {
            if (_members.Count > 0)
            {
                _filling.AddNotice(notice.Json.Span, _members.Snapshot.Span, notice);
                Pump();
            }
        }
    }

    /// <summary>The pump: one at a time, on the thread pool.</summary>
    public void Execute()
    {
        while (true)
        {
            RoomBatch batch;
            ReadOnlyMemory<Member?> members;
            lock (_gate)
            {
                if (_filling.IsEmpty)
                {
                    _pumping = false;
                    return;
                }

                (batch, _filling, _spare) = (_filling, _spare, _filling);
                members = _members.Snapshot;
            }

            batch.SendTo(members.Span);
            batch.Clear();
        }
    }

    /// <summary>Tells all members that they have to begin anew, and goes on behind <paramref name="seq"/>.</summary>
    private void Restart(string epoch, long seq)
    {
        if (epoch != _epoch)
        {
            _ahead.Clear();
            foreach (var member in _members.Snapshot.Span)
            {
                if (member is not null)
                {
                    member.AckedSeq = 0;
                }
            }
        }

        (_epoch, _seq) = (epoch, seq);
        while (_ahead.Count > 0 && _ahead.Keys[0] <= seq)
        {
            _ahead.RemoveAt(0);
        }

        _filling.AddForAll(RoomFrames.Joined(key.RoomId, seq, epoch, recovered: false));
        RoomTail.Spoil(_tail);
        Pump();
    }

    private void Advance()
    {
        while (_seq >= 0 && _ahead.Count > 0 && _ahead.Keys[0] == _seq + 1)
        {
            var message = _ahead.Values[0];
            _ahead.RemoveAt(0);
            _seq = message.Seq;
            RoomTail.Append(_tail, message);
            var sender = _senders.GetValueOrDefault(message.Origin);
            _filling.AddMessage(message, sender);
            if (sender is not null)
            {
                sender.AckedSeq = message.Seq;
                _filling.AddDirect(sender, RoomFrames.Ack(message));
            }
        }

        Pump();
    }

    /// <summary>Acks a message whose sender has left the room since, unless it has its ack.</summary>
    private void AckParted(RelayedMessage message, Member sender)
    {
        if (message.Seq > sender.AckedSeq)
        {
            sender.AckedSeq = message.Seq;
            _filling.AddDirect(sender, RoomFrames.Ack(message));
        }
    }

    private Member Attach(Connection connection, byte[] first)
    {
        var member = new Member(this, connection);
        _members.Add(member);
        _filling.AddFirst(member, first);
        Pump();
        return member;
    }

    private void Pump()
    {
        if (!_pumping && !_filling.IsEmpty)
        {
            _pumping = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }
}
