namespace ChatServer.Outbox;

/// <summary>
/// One company's saves on this node: who waits for a place, and how Quantum has served the company lately. What goes wrong for one company
/// is held against no other. All of it under the lock of its <see cref="SaveConcurrency"/>.
/// </summary>
internal sealed class CompanySaves
{
    private readonly Dictionary<long, Queue<SaveWaiter>> _waiting = [];
    private readonly Queue<long> _senders = new();
    private readonly int _most;
    private int _wellInRow;
    private long _savedAtFailure = -1;
    private int _failedRoomsInRow;
    private long? _lastFailedRoom;
    private ITimer? _rest;

    /// <param name="most">The most calls at once.</param>
    public CompanySaves(long id, int most) => (Id, _most, Allowed) = (id, most, most);

    public long Id { get; }

    /// <summary>How many calls may be under way at once.</summary>
    public int Allowed { get; private set; }

    /// <summary>How many are under way.</summary>
    public int UnderWay { get; set; }

    /// <summary>How many messages of it were saved.</summary>
    public long Saved { get; private set; }

    /// <summary>How many of all others had been saved when it last failed.</summary>
    public long OthersAtFailure { get; set; }

    public bool IsWaiting => _senders.Count > 0;

    /// <summary>Whether forgetting it changes nothing.</summary>
    public bool IsAsNew => IsIdle && Allowed == _most && _failedRoomsInRow == 0;

    public bool IsIdle => UnderWay == 0 && !IsWaiting && !IsResting;

    /// <summary>Quantum is spared its calls for a while.</summary>
    public bool IsResting => _rest is not null;

    public bool MayBegin => UnderWay < Allowed && !IsResting;

    public void Add(SaveWaiter waiter)
    {
        if (!_waiting.TryGetValue(waiter.Sender, out var rooms))
        {
            _waiting[waiter.Sender] = rooms = new();
            _senders.Enqueue(waiter.Sender);
        }

        rooms.Enqueue(waiter);
    }

    /// <summary>Those who share the next call: senders take turns, and so do the rooms in which a sender's messages wait.</summary>
    /// <param name="most">Messages in a call, at most.</param>
    public IReadOnlyList<SaveWaiter> Next(int most)
    {
        var waiters = new List<SaveWaiter> { Dequeue() };
        for (var messages = waiters[0].Ready;
             !waiters[0].IsAlone && messages < most && waiters.Count < most && IsWaiting && Peek() is { IsAlone: false } next;
             messages += next.Ready)
        {
            waiters.Add(Dequeue());
        }

        return waiters;
    }

    /// <summary>A call has ended.</summary>
    /// <param name="saved">How many messages it has saved.</param>
    /// <returns>How long it has to rest now, if it has to.</returns>
    public TimeSpan? Ended(long room, SaveEnd end, int saved)
    {
        switch (end)
        {
            case SaveEnd.Saved or SaveEnd.Answered:
                Saved += saved;
                (_failedRoomsInRow, _lastFailedRoom) = (0, null);
                EndRest();
                if (++_wellInRow >= Allowed)
                {
                    (Allowed, _wellInRow) = (Math.Min(_most, 2 * Allowed), 0);
                }

                return null;
            case SaveEnd.Throttled:
                Saved += saved;
                (Allowed, _wellInRow) = (Math.Max(1, Allowed / 2), 0);
                return null;
            case SaveEnd.Failed:
                Saved += saved;
                Allowed = Saved == _savedAtFailure ? 1 : Math.Max(1, Allowed / 2);
                (_wellInRow, _savedAtFailure) = (0, Saved);
                return RestAfter(room);
            default:
                return null;
        }
    }

    /// <param name="end">Ends when the rest is over; it has to call <see cref="EndRest"/>.</param>
    public void BeginRest(ITimer end) => _rest = end;

    public void EndRest()
    {
        _rest?.Dispose();
        _rest = null;
    }

    private SaveWaiter Peek() => _waiting[_senders.Peek()].Peek();

    private SaveWaiter Dequeue()
    {
        var sender = _senders.Dequeue();
        var rooms = _waiting[sender];
        var waiter = rooms.Dequeue();
        if (rooms.Count > 0)
        {
            _senders.Enqueue(sender);
        }
        else
        {
            _waiting.Remove(sender);
        }

        return waiter;
    }

    /// <summary>A room that fails again and again is that room's trouble; several without a success between them are the company's.</summary>
    private TimeSpan? RestAfter(long room)
    {
        if (room == _lastFailedRoom || IsResting)
        {
            return null;
        }

        _lastFailedRoom = room;
        return ++_failedRoomsInRow < OutboxOptions.FailedRoomsUntilRest
            ? null
            : BackOff.After(_failedRoomsInRow - OutboxOptions.FailedRoomsUntilRest, OutboxOptions.FirstRest, OutboxOptions.MaxRest);
    }
}

/// <summary>A room that waits for a place.</summary>
/// <param name="Sender">Who wrote the message that is next in the room.</param>
/// <param name="Ready">How many messages it has to save, as far as is known; one at least.</param>
/// <param name="IsAlone">Whether it must not share its call.</param>
internal sealed record SaveWaiter(long Room, long Sender, int Ready, bool IsAlone, TaskCompletionSource<SaveTurn> Turn);
