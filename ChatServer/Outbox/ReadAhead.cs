namespace ChatServer.Outbox;

/// <summary>Bounds what a node reads of unsaved messages before they have a place for a call: readings at once, and bytes in hand.</summary>
internal sealed class ReadAhead : IDisposable
{
    private readonly SemaphoreSlim _reading = new(OutboxOptions.ReadingsAtOnce);
    private long _bytes;

    /// <summary>Bytes that rooms have in hand.</summary>
    public long Bytes => Interlocked.Read(ref _bytes);

    /// <summary>One of the readings at once.</summary>
    public async Task<T> ReadAsync<T>(Func<ValueTask<T>> read, CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            return await read();
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <returns>False if there is no space: it has to be read again when it is needed.</returns>
    public bool TryTake(long bytes)
    {
        if (Interlocked.Add(ref _bytes, bytes) <= OutboxOptions.MaxBytesInHand)
        {
            return true;
        }

        Return(bytes);
        return false;
    }

    public void Return(long bytes) => Interlocked.Add(ref _bytes, -bytes);

    public void Dispose() => _reading.Dispose();
}
