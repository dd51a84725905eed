namespace ChatServer.Outbox;

/// <summary>
/// Limits the saves that are under way on this node: one at a time while Quantum is in trouble, then twice as many after each round
/// that went well, so that a Quantum that has just recovered is not flooded.
/// </summary>
/// <param name="most">The most saves at once.</param>
internal sealed class SaveConcurrency(int most)
{
    private readonly Lock _gate = new();
    private readonly Queue<TaskCompletionSource> _waiting = new();
    private int _allowed = Math.Min(OutboxOptions.FirstConcurrentSaves, most);
    private int _taken;
    private int _wellInRow;
    private long _saved;
    private long _savedAtFailure = -1;

    /// <summary>How many saves went well so far. It tells a message that fails alone from an outage.</summary>
    public long Saved => Volatile.Read(ref _saved);

    /// <summary>How many may be under way now.</summary>
    public int Allowed
    {
        get
        {
            lock (_gate)
            {
                return _allowed;
            }
        }
    }

    /// <summary>Waits for a place and takes it; each must be given back by <see cref="Release"/>.</summary>
    public async ValueTask TakeAsync(CancellationToken cancellation)
    {
        TaskCompletionSource turn;
        lock (_gate)
        {
            if (_taken < _allowed)
            {
                _taken++;
                return;
            }

            turn = new(TaskCreationOptions.RunContinuationsAsynchronously);
            _waiting.Enqueue(turn);
        }

        using var registration = cancellation.Register(() => turn.TrySetCanceled(cancellation));
        await turn.Task;
    }

    /// <param name="wentWell">Null if Quantum was not asked.</param>
    public void Release(bool? wentWell)
    {
        lock (_gate)
        {
            _taken--;
            if (wentWell is true)
            {
                _saved++;
                if (++_wellInRow >= _allowed)
                {
                    (_allowed, _wellInRow) = (Math.Min(most, 2 * _allowed), 0);
                }
            }
            else if (wentWell is false)
            {
                // One message that fails while others are saved is no outage.
                _allowed = _saved == _savedAtFailure ? 1 : Math.Max(1, _allowed / 2);
                (_wellInRow, _savedAtFailure) = (0, _saved);
            }

            while (_taken < _allowed && _waiting.TryDequeue(out var turn))
            {
                // One that has been cancelled meanwhile takes no place.
                if (turn.TrySetResult())
                {
                    _taken++;
                }
            }
        }
    }
}
