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

    /// <summary>The next one: senders take turns, and so do the rooms in which a sender's messages wait.</summary>
    public SaveWaiter Next()
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

    /// <summary>A call has ended.</summary>
    /// <returns>How long it has to rest now, if it has to.</returns>
    public TimeSpan? Ended(long room, SaveEnd end)
    {
        switch (end)
        {
            case SaveEnd.Saved or SaveEnd.Answered:
                Saved += end == SaveEnd.Saved ? 1 : 0;
                (_failedRoomsInRow, _lastFailedRoom) = (0, null);
                EndRest();
                if (++_wellInRow >= Allowed)
                {
                    (Allowed, _wellInRow) = (Math.Min(_most, 2 * Allowed), 0);
                }

                return null;
            case SaveEnd.Throttled:
                (Allowed, _wellInRow) = (Math.Max(1, Allowed / 2), 0);
                return null;
            case SaveEnd.Failed:
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
internal sealed record SaveWaiter(long Room, long Sender, TaskCompletionSource<SaveTurn> Turn);
