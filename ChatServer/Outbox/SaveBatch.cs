namespace ChatServer.Outbox;

/// <summary>
/// One call of Quantum's API, and the place that it takes. Rooms of one company may share it: it is made when each has brought what it has.
/// </summary>
/// <param name="company">Whose call it is.</param>
/// <param name="ended">Called once, with the number of messages that it has saved.</param>
internal sealed class SaveBatch(CompanySaves company, long room, Action<SaveBatch, SaveEnd, int> ended)
{
    private readonly Lock _gate = new();
    private readonly List<(SaveTurn Turn, IReadOnlyList<PendingSave> Messages)> _brought = [];
    private ITimer? _slow;
    private SaveMessages? _save;
    private int _turns;
    private bool _isOver;

    public CompanySaves Company => company;

    /// <summary>The room that was first to be in it.</summary>
    public long Room => room;

    /// <summary>Whether several rooms have turns in it.</summary>
    public bool IsShared
    {
        get
        {
            lock (_gate)
            {
                return _turns > 1;
            }
        }
    }

    public bool IsOver => Volatile.Read(ref _isOver);

    /// <summary>Whether others may have the place though the call is still under way.</summary>
    public bool IsSlow { get; set; }

    /// <summary>Hands turns to those who wait for them.</summary>
    /// <param name="most">Messages in the call, at most.</param>
    /// <returns>False if nobody waits any more.</returns>
    public bool HandTurns(IReadOnlyList<SaveWaiter> waiters, int most)
    {
        lock (_gate)
        {
            // Each its share, and what some leave goes to the others.
            var left = Math.Max(1, most);
            var share = Math.Max(1, most / waiters.Count);
            left -= waiters.Sum(waiter => Math.Min(waiter.Ready, share));
            foreach (var waiter in waiters)
            {
                var more = Math.Clamp(waiter.Ready - share, 0, Math.Max(0, left));
                left -= more;

                // One that has been cancelled meanwhile takes no part.
                _turns += waiter.Turn.TrySetResult(new SaveTurn(this, Math.Min(waiter.Ready, share) + more)) ? 1 : 0;
            }

            return _turns > 0;
        }
    }

    /// <param name="slow">Tells that it takes long; it may come late, when the call is over.</param>
    public void Watch(ITimer slow) => _slow = slow;

    /// <param name="save">Null if the turn has nothing to save.</param>
    public void Bring(SaveTurn turn, IReadOnlyList<PendingSave> messages, SaveMessages? save, CancellationToken cancellation)
    {
        bool isShared;
        lock (_gate)
        {
            _save ??= save;
            _brought.Add((turn, messages));
            if (_brought.Count < _turns)
            {
                return;
            }

            isShared = _turns > 1;
        }

        // What only one room waits for ends with it; a call that others wait for, too, is bounded by its own limit.
        _ = RunAsync(isShared ? CancellationToken.None : cancellation);
    }

    private async Task RunAsync(CancellationToken cancellation)
    {
        var all = _brought.SelectMany(each => each.Messages).ToList();
        IReadOnlyList<SaveResult> results = [];
        try
        {
            results = all.Count == 0 ? [] : await _save!(all, cancellation);
        }
        catch (Exception exception)
        {
            // Whatever it is: each turn has to hear of it, and the place has to be given back.
            results = [.. all.Select(_ => (SaveResult)exception)];
        }

        Volatile.Write(ref _isOver, true);
        ended(this, SaveResult.EndOf(results), results.Count(result => result.Outcome is Quantum.SaveOutcome.Saved));
        _slow?.Dispose();
        var from = 0;
        foreach (var (turn, messages) in _brought)
        {
            turn.End([.. results.Skip(from).Take(messages.Count)]);
            from += messages.Count;
        }
    }
}
