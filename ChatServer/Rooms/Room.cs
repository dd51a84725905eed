using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// A room on this node: puts what arrives into seq order, and sends it to the local members. Messages come from the relay and, sooner, from the accept step
/// of this node itself; whichever copy is first is delivered, the other one is dropped by its seq.
/// A pump sends: what arrives while it is at work is joined and leaves in one write per member.
/// </summary>
/// <param name="gapOpened">Called, outside the lock, when messages lie beyond a gap; they wait until it is filled.</param>
internal sealed class Room(RoomKey key, Action<Room> gapOpened) : IRoomListener, IThreadPoolWorkItem
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

    public bool HasGap
    {
        get
        {
            lock (_gate)
            {
                return _ahead.Count > 0;
            }
        }
    }

    /// <summary>Begins to deliver, after <paramref name="head"/>; what came before it waits already.</summary>
    public void Start(long head, string epoch)
    {
        bool hasGap;
        lock (_gate)
        {
            _seq = head;
            _epoch = epoch;
            while (_ahead.Count > 0 && _ahead.Keys[0] <= head)
            {
                _ahead.RemoveAt(0);
            }

            Advance();
            hasGap = _ahead.Count > 0;
        }

        if (hasGap)
        {
            gapOpened(this);
        }
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
    public Member? TryJoin(Connection connection, long seen, RoomTail tail)
    {
        lock (_gate)
        {
            return tail.Covers(seen, _seq) ? Attach(connection, tail.FramesAfter(seen)) : null;
        }
    }

    /// <summary>Takes a member out; its <c>left</c> comes after everything that it gets from this room.</summary>
    /// <param name="left">The frame; null where the connection is gone.</param>
    public void Leave(Member member, byte[]? left)
    {
        lock (_gate)
        {
            if (member.Index < 0)
            {
                return;
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
        }
    }

    /// <summary>A member is about to send: its messages are known as its own from here on, also when the relay's copy comes first.</summary>
    public void Sending(Member member)
    {
        lock (_gate)
        {
            if (member.Index >= 0)
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
            if (sender.Index < 0)
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
        bool opened;
        lock (_gate)
        {
            if (_seq >= 0 && message.Seq <= _seq)
            {
                // The relay's copy of what the accept step brought, or the other way round.
                return;
            }

            opened = _ahead.Count == 0;
            _ahead[message.Seq] = message;
            Advance();
            opened &= _ahead.Count > 0 && _seq >= 0;
        }

        if (opened)
        {
            gapOpened(this);
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
