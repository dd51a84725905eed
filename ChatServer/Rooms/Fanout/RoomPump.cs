namespace ChatServer.Rooms.Fanout;

/// <summary>
/// Sends what a room has for its members: one batch at a time, on the thread pool. What is added while it is at work is joined and leaves
/// in one write per member, up to <see cref="FanoutOptions.BatchBytes"/>.
/// </summary>
/// <param name="gate">The room's lock: all members but <see cref="Execute"/> are called with it held.</param>
/// <param name="members">Those who are in the room.</param>
/// <param name="time">Measures how long notices wait.</param>
internal sealed class RoomPump(Lock gate, MemberTable members, TimeProvider time) : IThreadPoolWorkItem
{
    /// <summary>Batches that are full, with those who were members when they became so: who comes later gets nothing of them.</summary>
    private readonly Queue<(RoomBatch Batch, ReadOnlyMemory<Member?> Present)> _full = new();
    private RoomBatch _next = new();
    private RoomBatch? _spare;
    private bool _isAtWork;
    private bool _isDue;

    /// <summary>What takes the next frame: fill it, then <see cref="Start"/>.</summary>
    public RoomBatch Next
    {
        get
        {
            if (_next.IsFull)
            {
                _full.Enqueue((_next, members.Snapshot));
                _next = Fresh();
            }

            return _next;
        }
    }

    /// <summary>Takes somebody in who gets these frames first, and nothing of what has been added before.</summary>
    public void Admit(Member newcomer, ReadOnlySpan<byte> first)
    {
        // Before the table: a batch that turns out to be full goes to those who were there without the newcomer.
        var next = Next;
        members.Add(newcomer);
        next.AddFirst(newcomer, first);
    }

    /// <summary>Starts the pump, unless it is at work: what has been added leaves.</summary>
    public void Start()
    {
        if (!_isAtWork && !_next.IsEmpty)
        {
            _isAtWork = true;
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    /// <summary>The same within <see cref="FanoutOptions.NoticePatience"/>, or sooner together with something else.</summary>
    public void StartLate()
    {
        if (!_isDue)
        {
            _isDue = true;
            _ = StartLaterAsync();
        }
    }

    /// <summary>Sends until nothing is left; without the lock while it does.</summary>
    public void Execute()
    {
        RoomBatch? sent = null;
        while (true)
        {
            RoomBatch batch;
            ReadOnlyMemory<Member?> present;
            lock (gate)
            {
                _spare ??= sent;
                if (_full.TryDequeue(out var full))
                {
                    (batch, present) = full;
                }
                else if (_next.IsEmpty)
                {
                    _isAtWork = false;
                    return;
                }
                else
                {
                    (batch, present) = (_next, members.Snapshot);
                    _next = Fresh();
                }
            }

            batch.SendTo(present.Span);
            batch.Clear();
            sent = batch;
        }
    }

    private RoomBatch Fresh()
    {
        var fresh = _spare ?? new();
        _spare = null;
        return fresh;
    }

    private async Task StartLaterAsync()
    {
        await Task.Delay(FanoutOptions.NoticePatience, time);
        lock (gate)
        {
            _isDue = false;
            Start();
        }
    }
}
