using ChatServer.Protocol;

namespace ChatServer.Outbox;

/// <summary>
/// Gives out the places for calls of Quantum's API on this node. Companies take turns, within a company its senders, within a sender's
/// rooms the rooms. One call at a time while Quantum is in trouble, then twice as many after each round that went well, so that a Quantum
/// that has just recovered is not flooded. A call that takes long gives its place to others: a company whose calls hang has its own limit
/// and holds up nobody else.
/// </summary>
/// <param name="most">The most calls at once, and the most of one company; of all together more only where some take long.</param>
/// <param name="bulk">Says how many messages a call may carry.</param>
internal sealed class SaveConcurrency(int most, BulkSaves bulk, TimeProvider time)
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, CompanySaves> _companies = [];

    /// <summary>Companies with rooms that wait, the next one first.</summary>
    private readonly Queue<CompanySaves> _turns = new();
    private int _allowed = Math.Min(OutboxOptions.FirstConcurrentSaves, most);
    private int _taken;
    private int _underWay;
    private int _wellInRow;
    private long _saved;
    private long _savedAtFailure = -1;

    /// <summary>How many messages this node has brought to Quantum. It tells a message that fails alone from an outage.</summary>
    public long Saved => Volatile.Read(ref _saved);

    /// <summary>How many messages a call may carry now.</summary>
    public int MessagesAtOnce => bulk.MessagesAtOnce;

    /// <summary>How many calls may be under way now.</summary>
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

    /// <summary>How many companies are remembered.</summary>
    public int Companies
    {
        get
        {
            lock (_gate)
            {
                return _companies.Count;
            }
        }
    }

    /// <summary>Waits for a place and takes it.</summary>
    /// <param name="sender">Who wrote the message that is next in the room.</param>
    /// <param name="ready">How many messages the room has to save, as far as is known; one at least.</param>
    /// <param name="isAlone">Whether it must not share its call.</param>
    public async Task<SaveTurn> TakeAsync(RoomKey room, long sender, int ready, bool isAlone, CancellationToken cancellation)
    {
        var waiter = new SaveWaiter(room.RoomId, sender, ready, isAlone, new(TaskCreationOptions.RunContinuationsAsynchronously));
        lock (_gate)
        {
            var company = CompanyOf(room.CompanyId);
            if (!company.IsWaiting)
            {
                _turns.Enqueue(company);
            }

            company.Add(waiter);
            GiveOut();
        }

        await using var registration = cancellation.Register(() => waiter.Turn.TrySetCanceled(cancellation));
        return await waiter.Turn.Task;
    }

    private CompanySaves CompanyOf(long id)
    {
        if (!_companies.TryGetValue(id, out var company))
        {
            if (_companies.Count >= OutboxOptions.SweepCompaniesAt)
            {
                foreach (var (idle, _) in _companies.Where(each => each.Value.IsIdle).ToList())
                {
                    _companies.Remove(idle);
                }
            }

            _companies[id] = company = new(id, most) { OthersAtFailure = _saved };
        }

        return company;
    }

    private void GiveOut()
    {
        while (_taken < _allowed && _underWay < most * OutboxOptions.SlowFactor && NextCompany() is { } company)
        {
            var messages = bulk.MessagesAtOnce;
            var waiters = company.Next(messages);
            if (company.IsWaiting)
            {
                _turns.Enqueue(company);
            }

            var batch = new SaveBatch(company, waiters[0].Room, OnEnded);
            if (batch.HandTurns(waiters, messages))
            {
                _taken++;
                _underWay++;
                company.UnderWay++;
                batch.Watch(time.CreateTimer(_ => OnSlow(batch), null, OutboxOptions.SlowAfter, Timeout.InfiniteTimeSpan));
            }
        }
    }

    /// <returns>The next company that may begin a call, out of its turn; those that may not keep theirs.</returns>
    private CompanySaves? NextCompany()
    {
        for (var left = _turns.Count; left > 0; left--)
        {
            var company = _turns.Dequeue();
            if (company.MayBegin)
            {
                return company;
            }

            _turns.Enqueue(company);
        }

        return null;
    }

    private void OnSlow(SaveBatch batch)
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("slow"))
        {
            return;
        }

#endif
        lock (_gate)
        {
            if (batch is { IsSlow: false, IsOver: false })
            {
                batch.IsSlow = true;
                _taken--;
                GiveOut();
            }
        }
    }

    private void OnEnded(SaveBatch batch, SaveEnd end, int saved)
    {
        lock (_gate)
        {
            var company = batch.Company;
            _taken -= batch.IsSlow ? 0 : 1;
            _underWay--;
            company.UnderWay--;
            Count(company, end, saved);
            if (company.Ended(batch.Room, end, saved) is { } rest)
            {
                company.BeginRest(time.CreateTimer(_ => OnRested(company), null, rest, Timeout.InfiniteTimeSpan));
            }

            if (company.IsAsNew)
            {
                _companies.Remove(company.Id);
            }

            GiveOut();
        }
    }

    private void OnRested(CompanySaves company)
    {
        lock (_gate)
        {
            company.EndRest();
            GiveOut();
        }
    }

    private void Count(CompanySaves company, SaveEnd end, int saved)
    {
        _saved += saved;
        switch (end)
        {
            case SaveEnd.Saved or SaveEnd.Answered:
                if (++_wellInRow >= _allowed)
                {
                    (_allowed, _wellInRow) = (Math.Min(most, 2 * _allowed), 0);
                }

                break;
            case SaveEnd.Failed:
                var others = _saved - saved - company.Saved;
                if (others == company.OthersAtFailure)
                {
                    // One message that fails while others are saved is no outage.
                    _allowed = _saved == _savedAtFailure ? 1 : Math.Max(1, _allowed / 2);
                    (_wellInRow, _savedAtFailure) = (0, _saved);
                }

                // Else Quantum serves others meanwhile: it is the company's trouble.
                company.OthersAtFailure = others;
                break;
            default:
                break;
        }
    }
}
