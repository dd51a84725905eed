namespace ChatServer.Outbox;

/// <summary>A room's part in a call of Quantum's API; every turn of a call has to bring messages, or be disposed of.</summary>
/// <param name="capacity">How many messages it may bring.</param>
internal sealed class SaveTurn(SaveBatch batch, int capacity) : IDisposable
{
    private readonly TaskCompletionSource<IReadOnlyList<SaveResult>> _results =
        new(TaskCreationOptions.RunContinuationsAsynchronously);

    private int _hasBrought;

    public int Capacity => capacity;

    /// <summary>Whether other rooms have turns in the same call.</summary>
    public bool IsShared => batch.IsShared;

    /// <summary>Has messages saved, together with those of the call's other turns.</summary>
    /// <param name="save">Makes the call, for one of its turns.</param>
    /// <returns>What became of each.</returns>
    public async Task<IReadOnlyList<SaveResult>> SaveAsync(
        IReadOnlyList<PendingSave> messages, SaveMessages save, CancellationToken cancellation)
    {
        Interlocked.Exchange(ref _hasBrought, 1);
        batch.Bring(this, messages, save, cancellation);
        return await _results.Task.WaitAsync(cancellation);
    }

    /// <summary>Called once, when the call has ended.</summary>
    public void End(IReadOnlyList<SaveResult> results) => _results.TrySetResult(results);

    public void Dispose()
    {
        if (Interlocked.Exchange(ref _hasBrought, 1) == 0)
        {
            batch.Bring(this, [], null, default);
        }
    }
}

/// <summary>Makes one call for messages of one company.</summary>
/// <returns>What became of each.</returns>
internal delegate Task<IReadOnlyList<SaveResult>> SaveMessages(IReadOnlyList<PendingSave> messages, CancellationToken cancellation);
