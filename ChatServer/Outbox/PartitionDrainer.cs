using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Finds the rooms of one partition that have something to save, while this node has its lease, and begins with each of them: rooms are
/// saved side by side.
/// </summary>
/// <param name="drain">Makes what saves a room's messages.</param>
internal sealed partial class PartitionDrainer(
    int partition, IOutbox outbox, Func<RoomKey, RoomDrainer> drain, TimeProvider time, ILogger<PartitionDrainer> logger) : IDisposable
{
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<RoomKey, RoomDrainer> _rooms = [];
    private readonly HashSet<Task> _saving = [];
    private readonly Lock _gate = new();
    private long? _tookOver;
    private bool _disposed;

    /// <summary>There may be something to save.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_disposed && _wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    /// <summary>After <see cref="RunAsync"/> has ended. A late <see cref="Wake"/> does nothing.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _wake.Dispose();
        }
    }

    /// <summary>Drains until it is cancelled, and returns when nothing is under way any more. It never ends before.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                await DrainAsync(cancellation);
            }
            catch (Exception exception)
            {
                // Whatever it is: this node has the lease, so nobody else would drain.
                Interrupted(exception, cancellation);
                await Task.Delay(BackOff.Jitter(OutboxOptions.PauseAfterFailure), time, cancellation)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        await Task.WhenAll(_saving);
    }

    private async Task DrainAsync(CancellationToken cancellation)
    {
        var (since, lookedAtAll) = (0L, time.GetTimestamp());
        while (!cancellation.IsCancellationRequested)
        {
            if (_tookOver is not { } at || time.GetElapsedTime(at) >= OutboxOptions.LookForFormer)
            {
                await outbox.TakeOverFormerAsync(partition);
                _tookOver = time.GetTimestamp();
            }

            if (time.GetElapsedTime(lookedAtAll) >= OutboxOptions.LookAgain)
            {
                // Redis's clock may have been set back, or a room may have been missed for another reason.
                (since, lookedAtAll) = (0, time.GetTimestamp());
            }

            var rooms = await outbox.UnsavedAsync(partition, since);
            foreach (var (room, began) in rooms)
            {
                since = Math.Max(since, began);
                Begin(room, cancellation);
            }

            _saving.RemoveWhere(task => task.IsCompleted);
            await _wake.WaitAsync(_saving.Count == 0 ? OutboxOptions.LookAgain : OutboxOptions.LookSoon, cancellation);
        }
    }

    private void Begin(RoomKey room, CancellationToken cancellation)
    {
        lock (_gate)
        {
            if (_rooms.TryGetValue(room, out var running))
            {
                running.IsMetAgain = true;
                return;
            }

            var drainer = _rooms[room] = drain(room);
            _saving.Add(Task.Run(() => SaveAsync(drainer, cancellation), CancellationToken.None));
        }
    }

    private async Task SaveAsync(RoomDrainer room, CancellationToken cancellation)
    {
        do
        {
            await room.RunAsync(cancellation);
        }
        while (!TryEnd(room, cancellation));
    }

    /// <returns>False if there may be more to save.</returns>
    private bool TryEnd(RoomDrainer room, CancellationToken cancellation)
    {
        lock (_gate)
        {
            return (!room.IsMetAgain || cancellation.IsCancellationRequested) && _rooms.Remove(room.Room);
        }
    }

    private void Interrupted(Exception exception, CancellationToken cancellation)
    {
        if (exception is RedisUnavailableException)
        {
            Log.Waiting(logger, exception, partition);
        }
        else if (!cancellation.IsCancellationRequested)
        {
            Log.Failed(logger, exception, partition);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(910, LogLevel.Warning, "Partition {Partition}: Redis is out of reach; what is to be saved waits.")]
        public static partial void Waiting(ILogger logger, Exception exception, int partition);

        [LoggerMessage(912, LogLevel.Error,
            "Partition {Partition}: unexpected error while looking for what is to be saved; it goes on after a pause.")]
        public static partial void Failed(ILogger logger, Exception exception, int partition);
    }
}
