namespace ChatServer.Connections;

/// <summary>Those who wait until less is queued for a peer.</summary>
/// <param name="gate">The lock of the <see cref="Outbound"/>: all members are called with it held.</param>
internal sealed class DrainWaiters(Lock gate)
{
    private readonly List<Waiter> _waiting = [];

    /// <summary>Completes at <see cref="Wake"/> when at most that many bytes wait. Fails only by the token.</summary>
    public Task WaitAsync(long atMost, CancellationToken cancellationToken)
    {
        var waiter = new Waiter(atMost);
        _waiting.Add(waiter);
        return WaitAsync(waiter, cancellationToken);
    }

    /// <param name="queuedBytes">How much waits now.</param>
    public void Wake(long queuedBytes)
    {
        foreach (var waiter in _waiting)
        {
            if (queuedBytes <= waiter.AtMost)
            {
                waiter.Done.TrySetResult();
            }
        }
    }

    private async Task WaitAsync(Waiter waiter, CancellationToken cancellationToken)
    {
        try
        {
            await waiter.Done.Task.WaitAsync(cancellationToken);
        }
        finally
        {
            lock (gate)
            {
                _waiting.Remove(waiter);
            }
        }
    }

    private sealed class Waiter(long atMost)
    {
        public long AtMost { get; } = atMost;

        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
