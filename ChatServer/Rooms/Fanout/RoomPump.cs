namespace ChatServer.Rooms.Fanout;

/// <summary>
/// Sends what a room has for its members: one batch at a time, on the thread pool. What is added while it is at work is joined and leaves
/// in one write per member.
/// </summary>
/// <param name="gate">The room's lock: all members but <see cref="Execute"/> are called with it held.</param>
/// <param name="members">Those who are in the room.</param>
/// <param name="time">Measures how long notices wait.</param>
internal sealed class RoomPump(Lock gate, MemberTable members, TimeProvider time) : IThreadPoolWorkItem
{
    private RoomBatch _spare = new();
    private bool _isAtWork;
    private bool _isDue;

    /// <summary>What leaves next: fill it, then <see cref="Start"/>.</summary>
    public RoomBatch Next { get; private set; } = new();

    /// <summary>Starts the pump, unless it is at work: what has been added leaves.</summary>
    public void Start()
    {
        if (!_isAtWork && !Next.IsEmpty)
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
        while (true)
        {
            RoomBatch batch;
            ReadOnlyMemory<Member?> present;
            lock (gate)
            {
                if (Next.IsEmpty)
                {
                    _isAtWork = false;
                    return;
                }

                (batch, Next, _spare) = (Next, _spare, Next);
                present = members.Snapshot;
            }

            batch.SendTo(present.Span);
            batch.Clear();
        }
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
