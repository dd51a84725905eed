using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Has what one partition's outbox holds saved, while this node has its lease: a room's messages one after the other in seq order, rooms
/// side by side. A room whose message fails waits by itself; it takes no place of the others meanwhile.
/// </summary>
internal sealed partial class PartitionDrainer(
    int partition, IOutbox outbox, OutboxEntryProcessor processor, TimeProvider time, ILoggerFactory loggers) : IDisposable
{
    private readonly ILogger<PartitionDrainer> _logger = loggers.CreateLogger<PartitionDrainer>();
    private readonly PartitionBacklog _backlog = new(partition, outbox, loggers.CreateLogger<PartitionBacklog>());
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly HashSet<Task> _saving = [];
    private readonly Lock _gate = new();
    private long _lookedForStrays = time.GetTimestamp();
    private bool _disposed;

    /// <summary>There may be something to read.</summary>
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
            _backlog.Dispose();
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
                await processor.PauseAsync(BackOff.Jitter(OutboxOptions.PauseAfterFailure), cancellation);
            }
        }

        await Task.WhenAll(_saving);
    }

    private async Task DrainAsync(CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var rooms = await _backlog.ReadOnAsync(cancellation);
            Begin(rooms ?? [], cancellation);
            if (rooms is not null)
            {
                continue;
            }

            var isParked = _backlog.Rooms.IsParked;
            if (isParked && time.GetElapsedTime(_lookedForStrays) >= OutboxOptions.LookForStrays)
            {
                Begin(await _backlog.FindStraysAsync(cancellation), cancellation);
                _lookedForStrays = time.GetTimestamp();
            }

            await _wake.WaitAsync(
                _backlog.Rooms.IsEmpty ? OutboxOptions.LookAgain
                : isParked ? OutboxOptions.LookWhileParked
                : OutboxOptions.LookSoon,
                cancellation);
        }
    }

    private void Begin(IReadOnlyList<RoomBacklog> rooms, CancellationToken cancellation)
    {
        _saving.RemoveWhere(task => task.IsCompleted);
        foreach (var room in rooms)
        {
            _saving.Add(SaveRoomAsync(room, cancellation));
        }
    }

    /// <summary>Saves a room's messages until there are none left.</summary>
    private async Task SaveRoomAsync(RoomBacklog room, CancellationToken cancellation)
    {
        SaveTrouble? trouble = null;
        while (!cancellation.IsCancellationRequested && !_backlog.Rooms.TryFinish(room))
        {
            try
            {
                trouble = await SaveNextAsync(room, trouble, cancellation);
            }
            catch (Exception exception)
            {
                // Whatever it is: the room's messages must still be saved.
                Interrupted(exception, cancellation);
                await processor.PauseAsync(BackOff.Jitter(OutboxOptions.PauseAfterFailure), cancellation);
                continue;
            }

            if (trouble is { MayBeRemoved: true })
            {
                await processor.PauseAsync(trouble.Pause, cancellation);
            }
            else if (trouble is not null)
            {
                _backlog.Rooms.Park(room);
                await processor.PauseAsync(trouble.Pause, cancellation);
                _backlog.Rooms.Unpark(room);
            }
        }

        if (_backlog.Rooms.IsEmpty)
        {
            // Nobody calls "filled" for what was accepted while the outbox still held these.
            Wake();
        }
    }

    /// <param name="trouble">That of the room's last try.</param>
    /// <returns>The trouble with its next message, which is to be tried again; null if there is none.</returns>
    private async Task<SaveTrouble?> SaveNextAsync(RoomBacklog room, SaveTrouble? trouble, CancellationToken cancellation)
    {
        using var turn = await processor.TakeTurnAsync(room, cancellation);
        if (await _backlog.NextAsync(room, cancellation) is not { } pending)
        {
            return null;
        }

        var its = trouble?.EntryId == pending.Entry.Id ? trouble : processor.NewTrouble(pending);
        if (!await processor.TryAsync(pending, its, turn, cancellation))
        {
            return its;
        }

        _backlog.Rooms.Done(room);
        return null;
    }

    private void Interrupted(Exception exception, CancellationToken cancellation)
    {
        if (exception is RedisUnavailableException)
        {
            Log.Waiting(_logger, exception, partition);
        }
        else if (!cancellation.IsCancellationRequested)
        {
            Log.Failed(_logger, exception, partition);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(910, LogLevel.Warning, "Outbox {Partition}: Redis is out of reach; its messages wait.")]
        public static partial void Waiting(ILogger logger, Exception exception, int partition);

        [LoggerMessage(912, LogLevel.Error, "Outbox {Partition}: unexpected error while draining it; it goes on after a pause.")]
        public static partial void Failed(ILogger logger, Exception exception, int partition);
    }
}
