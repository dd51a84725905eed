using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Keeps this node's leases, its fair share of the partitions, and runs a drainer for each. A dead node's share is taken over within
/// two lease times.
/// </summary>
internal sealed partial class PartitionLeases(
    IOutbox outbox, Saver saver, SavedNotices notices, SaveConcurrency concurrency, ReadAhead readAhead, OutboxOptions options,
    TimeProvider time, ILoggerFactory loggers)
    : BackgroundService, IHostedLifecycleService
{
    private readonly ILogger<PartitionLeases> _logger = loggers.CreateLogger<PartitionLeases>();
    private readonly RunningDrainer?[] _drainers = new RunningDrainer?[outbox.Partitions];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _share = outbox.Partitions;

    /// <summary>Partitions that were free at the last look: whoever should have them does not take them.</summary>
    private HashSet<int> _leftFree = [];

    /// <summary>
    /// The node listens: from now on it counts. One that can't, and starts again and again, must not reserve a share of the work.
    /// </summary>
    public Task StartedAsync(CancellationToken cancellationToken)
    {
        _started.TrySetResult();
        return Task.CompletedTask;
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IAsyncDisposable? listening = null;
        using var timer = new PeriodicTimer(OutboxOptions.RenewInterval, time);
        try
        {
            await _started.Task.WaitAsync(stoppingToken);
            do
            {
                try
                {
                    listening ??= await TryListenAsync();
                    await ShareAsync();
                    await Task.WhenAll(Held.Select(RenewAsync));
                    await TakeFreeAsync();
                }
                catch (Exception exception)
                {
                    // A bug of ours must be seen, and must not stop the saving.
                    Log.Failed(_logger, exception);
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException)
        {
            // The node stops: what is not saved waits for the next drainer.
        }

        await Task.WhenAll(Enumerable.Range(0, outbox.Partitions).Select(StopAsync));
        await notices.FlushAsync();
        await SignOffAsync();
        if (listening is not null)
        {
            await listening.DisposeAsync();
        }
    }

    private int[] Held => [.. Enumerable.Range(0, outbox.Partitions).Where(partition => _drainers[partition] is not null)];

    /// <summary>
    /// Each node drains its share of the partitions; a node that has more gives some up, so that one that came later gets work. A few at a
    /// time: if the node that should take them is not there, they are not left alone for long.
    /// </summary>
    private async Task ShareAsync()
    {
        try
        {
            var nodes = Math.Max(1, await outbox.CountNodesAsync());
            _share = (outbox.Partitions + nodes - 1) / nodes;
        }
        catch (RedisUnavailableException)
        {
            // The renewals log it; the share stays as it is.
        }

        var tooMany = Held.Skip(_share).ToArray();
        await Task.WhenAll(tooMany.Take((tooMany.Length + OutboxOptions.GiveUpPart - 1) / OutboxOptions.GiveUpPart).Select(StopAsync));
    }

    /// <summary>Takes what is free, up to its share; and whatever the share, what was free at the last look already.</summary>
    private async Task TakeFreeAsync()
    {
        int[] free;
        try
        {
            free = [.. (await outbox.FreeAsync()).Where(partition => _drainers[partition] is null)];
        }
        catch (RedisUnavailableException)
        {
            // The renewals log it.
            return;
        }

        // Each node in an order of its own, so that nodes that start together don't compete for the same ones.
        Random.Shared.Shuffle(free);
        foreach (var partition in free)
        {
            if ((Held.Length < _share || _leftFree.Contains(partition)) && !await RenewAsync(partition))
            {
                // Each further call would wait for its timeout, too.
                return;
            }
        }

        _leftFree = [.. free.Where(partition => _drainers[partition] is null)];
    }

    /// <returns>False if Redis is out of reach.</returns>
    private async Task<bool> RenewAsync(int partition)
    {
        var isReachable = true;
        try
        {
            if (await outbox.TryLeaseAsync(partition))
            {
                Start(partition);
                return true;
            }
        }
        catch (RedisUnavailableException exception)
        {
            isReachable = false;
            if (_drainers[partition] is { } drain
                && time.GetElapsedTime(drain.LeasedAt) < OutboxOptions.LeaseTime - (2 * OutboxOptions.RenewInterval))
            {
                return isReachable;
            }

            Log.NotRenewed(_logger, exception, partition);
        }

        if (_drainers[partition] is { } lost)
        {
            _drainers[partition] = null;
            await lost.DisposeAsync();
        }

        return isReachable;
    }

    private void Start(int partition)
    {
        if (_drainers[partition] is { } running)
        {
            running.LeasedAt = time.GetTimestamp();
            return;
        }

        var (forPartition, forRoom) = (loggers.CreateLogger<PartitionDrainer>(), loggers.CreateLogger<RoomDrainer>());
        var drain = new RunningDrainer(
            new PartitionDrainer(
                partition, outbox, room => new(room, outbox, saver, concurrency, readAhead, options, time, forRoom), time, forPartition),
            time.GetTimestamp());
        _drainers[partition] = drain;

        // It read before a "filled" call could find it here; what came in between was not announced to it.
        drain.Drainer.Wake();
    }

    private async Task StopAsync(int partition)
    {
        if (_drainers[partition] is not { } drain)
        {
            return;
        }

        _drainers[partition] = null;
        await drain.DisposeAsync();
        try
        {
            await outbox.ReleaseAsync(partition);
        }
        catch (RedisUnavailableException)
        {
            // The lease expires by itself.
        }
    }

    private async Task SignOffAsync()
    {
        try
        {
            await outbox.SignOffAsync();
        }
        catch (RedisUnavailableException)
        {
            // The name expires by itself.
        }
    }

    private async Task<IAsyncDisposable?> TryListenAsync()
    {
        try
        {
            return await outbox.ListenAsync(partition => _drainers.ElementAtOrDefault(partition)?.Drainer.Wake());
        }
        catch (RedisUnavailableException)
        {
            // Without it drainers look now and then; the next round tries again.
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(930, LogLevel.Warning, "The lease of outbox {Partition} cannot be renewed; another node may take it over.")]
        public static partial void NotRenewed(ILogger logger, Exception exception, int partition);

        [LoggerMessage(931, LogLevel.Error, "Unexpected error while renewing the leases of the outbox; the node goes on.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
