namespace ChatServer.Quantum;

/// <summary>
/// Who may ask Quantum now: so many at a time, and so many of one token. Who has to wait does so behind others of the same token, and tokens
/// take turns, so that somebody with a hundred questions keeps nobody waiting who has one.
/// </summary>
internal sealed class QuestionSlots
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, Asker> _askers = [];

    /// <summary>Askers who wait and may have one more slot, each once.</summary>
    private readonly Queue<Asker> _next = new();
    private int _free = QuantumOptions.QuestionsAtOnce;

    /// <summary>Waits for a slot, which is given back when the result is disposed of.</summary>
    /// <param name="token">Whose question it is.</param>
    /// <exception cref="OperationCanceledException">There was none in time.</exception>
    public async ValueTask<IDisposable> TakeAsync(string token, CancellationToken cancellation)
    {
        var waiter = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Asker? asker;
        lock (_gate)
        {
            if (!_askers.TryGetValue(token, out asker))
            {
                _askers[token] = asker = new(token);
            }

            asker.Waiting.Enqueue(waiter);
            LineUp(asker);
            HandOut();
        }

        // One that is given up stays in its line, and is passed over at its turn.
        await using var giveUp = cancellation.UnsafeRegister(
            static (state, token) => ((TaskCompletionSource)state!).TrySetCanceled(token), waiter);
        await waiter.Task;
        return new Slot(this, asker);
    }

    private void Return(Asker asker)
    {
        lock (_gate)
        {
            _free++;
            asker.Asking--;
            LineUp(asker);
            HandOut();
        }
    }

    private void LineUp(Asker asker)
    {
        if (asker.Waiting.Count > 0 && !asker.IsNext && asker.Asking < QuantumOptions.QuestionsAtOncePerToken)
        {
            asker.IsNext = true;
            _next.Enqueue(asker);
        }
        else if (asker is { Waiting.Count: 0, Asking: 0 })
        {
            _askers.Remove(asker.Token);
        }
    }

    private void HandOut()
    {
        while (_free > 0 && _next.TryDequeue(out var asker))
        {
            asker.IsNext = false;
            if (asker.Waiting.TryDequeue(out var waiter) && waiter.TrySetResult())
            {
                _free--;
                asker.Asking++;
            }

            LineUp(asker);
        }
    }

    private sealed class Asker(string token)
    {
        public string Token => token;

        public Queue<TaskCompletionSource> Waiting { get; } = new();

        public int Asking { get; set; }

        public bool IsNext { get; set; }
    }

    private sealed class Slot(QuestionSlots slots, Asker asker) : IDisposable
    {
        private bool _isReturned;

        public void Dispose()
        {
            if (!Interlocked.Exchange(ref _isReturned, true))
            {
                slots.Return(asker);
            }
        }
    }
}
