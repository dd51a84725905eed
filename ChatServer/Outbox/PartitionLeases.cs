using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Keeps this node's leases, its fair share of the partitions, and runs a drainer for each. A dead node's share is taken over within
/// two lease times.
/// </summary>
internal sealed partial class PartitionLeases(
    IOutbox outbox, Saver saver, SavedNotices notices, SaveConcurrency concurrency, OutboxOptions options, TimeProvider time,
    ILoggerFactory loggers)
    : BackgroundService
{
    private readonly ILogger<PartitionLeases> _logger = loggers.CreateLogger<PartitionLeases>();
    private readonly Drain?[] _drains = new Drain?[outbox.Partitions];
    private int _share = outbox.Partitions;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        IAsyncDisposable? listening = null;
        using var timer = new PeriodicTimer(OutboxOptions.RenewInterval, time);
        try
        {
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
            // The node stops: unfinished entries stay in the outbox for the next drainer.
        }

        await Task.WhenAll(Enumerable.Range(0, outbox.Partitions).Select(StopAsync));
        await notices.FlushAsync();
        await SignOffAsync();
        if (listening is not null)
        {
            await listening.DisposeAsync();
        }
    }

    private int[] Held => [.. Enumerable.Range(0, outbox.Partitions).Where(partition => _drains[partition] is not null)];

    /// <summary>
    /// Each node drains its share of the partitions; a node that has more gives some up, so that one that came later gets work.
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

        await Task.WhenAll(Held.Skip(_share).Select(StopAsync));
    }

    private async Task TakeFreeAsync()
    {
        // Each node starts at its own place, so that nodes that start together don't compete for the same ones.
        var first = Random.Shared.Next(outbox.Partitions);
        for (var step = 0; step < outbox.Partitions && Held.Length < _share; step++)
        {
            var partition = (first + step) % outbox.Partitions;
            if (_drains[partition] is null && !await RenewAsync(partition))
            {
                // Each further call would wait for its timeout, too.
                return;
            }
        }
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
            if (_drains[partition] is { } drain
                && time.GetElapsedTime(drain.LeasedAt) < OutboxOptions.LeaseTime - (2 * OutboxOptions.RenewInterval))
            {
                return isReachable;
            }

            Log.NotRenewed(_logger, exception, partition);
        }

        if (_drains[partition] is { } lost)
        {
            _drains[partition] = null;
            await lost.DisposeAsync();
        }

        return isReachable;
    }

    private void Start(int partition)
    {
        if (_drains[partition] is { } running)
        {
            running.LeasedAt = time.GetTimestamp();
            return;
        }

        var processor = new OutboxEntryProcessor(
            partition, outbox, saver, concurrency, options, time, loggers.CreateLogger<OutboxEntryProcessor>());
        var drain = new Drain(
            new PartitionDrainer(partition, outbox, processor, time, loggers), time.GetTimestamp());
        _drains[partition] = drain;

        // It read before a "filled" call could find it here; what came in between was not announced to it.
        drain.Drainer.Wake();
    }

    private async Task StopAsync(int partition)
    {
        if (_drains[partition] is not { } drain)
        {
            return;
        }

        _drains[partition] = null;
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
            return await outbox.ListenAsync(partition => _drains.ElementAtOrDefault(partition)?.Drainer.Wake());
        }
        catch (RedisUnavailableException)
        {
            // Without it drainers look now and then; the next round tries again.
            return null;
        }
    }

    /// <summary>A drainer that runs.</summary>
    private sealed class Drain : IAsyncDisposable
    {
        private readonly CancellationTokenSource _stopping = new();
        private readonly Task _running;

        public Drain(PartitionDrainer drainer, long leasedAt)
        {
            (Drainer, LeasedAt) = (drainer, leasedAt);
            _running = drainer.RunAsync(_stopping.Token);
        }

        public PartitionDrainer Drainer { get; }

        public long LeasedAt { get; set; }

        /// <summary>Completes when nothing is under way any more.</summary>
        public async ValueTask DisposeAsync()
        {
            await _stopping.CancelAsync();
            await _running;
            _stopping.Dispose();
            Drainer.Dispose();
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
