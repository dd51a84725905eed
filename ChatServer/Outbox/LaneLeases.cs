using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Keeps this node's leases, its fair share of the lanes, and runs a drainer for each. A dead node's share is taken over within two lease
/// times.
/// </summary>
internal sealed partial class LaneLeases(
    IOutbox outbox, Saver saver, SavedNotices notices, SaveConcurrency concurrency, ReadAhead readAhead, OutboxOptions options,
    TimeProvider time, ILoggerFactory loggers)
    : BackgroundService, IHostedLifecycleService
{
    private readonly ILogger<LaneLeases> _logger = loggers.CreateLogger<LaneLeases>();
    private readonly HeldLane?[] _lanes = new HeldLane?[RedisKeys.Lanes];
    private readonly TaskCompletionSource _started = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _share = RedisKeys.Lanes;

    /// <summary>Lanes that were free at the last look: whoever should have them does not take them.</summary>
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

    /// <summary>
    /// The leases are signed off here, as soon as the connections are drained: what the node does after that, such as ending downloads,
    /// must not keep other nodes from taking over.
    /// </summary>
    public Task StoppingAsync(CancellationToken cancellationToken) => StopAsync(cancellationToken);

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

        await Task.WhenAll(Enumerable.Range(0, _lanes.Length).Select(StopAsync));
        await notices.FlushAsync();
        await SignOffAsync();
        if (listening is not null)
        {
            await listening.DisposeAsync();
        }
    }

    private int[] Held => [.. Enumerable.Range(0, _lanes.Length).Where(lane => _lanes[lane] is not null)];

    /// <summary>
    /// Each node drains its share of the lanes; a node that has more gives some up, so that one that came later gets work. A few at a
    /// time: if the node that should take them is not there, they are not left alone for long.
    /// </summary>
    private async Task ShareAsync()
    {
        try
        {
            var nodes = Math.Max(1, await outbox.CountNodesAsync());
            _share = (outbox.Lanes + nodes - 1) / nodes;
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
            free = [.. (await outbox.FreeAsync()).Where(lane => _lanes[lane] is null)];
        }
        catch (RedisUnavailableException)
        {
            // The renewals log it.
            return;
        }

        // Each node in an order of its own, so that nodes that start together don't compete for the same ones.
        Random.Shared.Shuffle(free);
        foreach (var lane in free)
        {
            if ((Held.Length < _share || _leftFree.Contains(lane)) && !await RenewAsync(lane))
            {
                // Each further call would wait for its timeout, too.
                return;
            }
        }

#if FAULT_INJECTION
        if (FaultInjection.Disables("free"))
        {
            return;
        }

#endif
        _leftFree = [.. free.Where(lane => _lanes[lane] is null)];
    }

    /// <returns>False if Redis is out of reach.</returns>
    private async Task<bool> RenewAsync(int lane)
    {
        var isReachable = true;
        try
        {
            if (await outbox.TryLeaseAsync(lane))
            {
                Start(lane);
                return true;
            }
        }
        catch (RedisUnavailableException exception)
        {
            isReachable = false;
            if (_lanes[lane] is { } held
                && time.GetElapsedTime(held.LeasedAt) < OutboxOptions.LeaseTime - (2 * OutboxOptions.RenewInterval))
            {
                return isReachable;
            }

            Log.NotRenewed(_logger, exception, lane);
        }

        if (_lanes[lane] is { } lost)
        {
            _lanes[lane] = null;
            await lost.Drainer.DisposeAsync();
        }

        return isReachable;
    }

    private void Start(int lane)
    {
        if (_lanes[lane] is { } held)
        {
            held.LeasedAt = time.GetTimestamp();
            return;
        }

        var (forLane, forRoom) = (loggers.CreateLogger<LaneDrainer>(), loggers.CreateLogger<RoomDrainer>());
        var drainer = new LaneDrainer(
            lane, outbox, room => new(room, outbox, saver, concurrency, readAhead, options, time, forRoom), time, forLane);

        // It is there to be told of rooms before it looks for them: none is missed in between.
        _lanes[lane] = new(drainer) { LeasedAt = time.GetTimestamp() };
        drainer.Start();
    }

    private async Task StopAsync(int lane)
    {
        if (_lanes[lane] is not { } held)
        {
            return;
        }

        _lanes[lane] = null;
        await held.Drainer.DisposeAsync();
        try
        {
            await outbox.ReleaseAsync(lane);
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
            return await outbox.ListenAsync(
                (lane, room) => _lanes[lane]?.Drainer.Begin(room), () => Array.ForEach(_lanes, held => held?.Drainer.Look()));
        }
        catch (RedisUnavailableException)
        {
            // Without it drainers look now and then; the next round tries again.
            return null;
        }
    }

    /// <summary>A lane whose lease this node has.</summary>
    private sealed class HeldLane(LaneDrainer drainer)
    {
        public LaneDrainer Drainer => drainer;

        /// <summary>When the lease was last renewed, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
        public long LeasedAt { get; set; }
    }

    private static partial class Log
    {
        [LoggerMessage(930, LogLevel.Warning, "The lease of lane {Lane} cannot be renewed; another node may take it over.")]
        public static partial void NotRenewed(ILogger logger, Exception exception, int lane);

        [LoggerMessage(931, LogLevel.Error, "Unexpected error while renewing the leases of the outbox; the node goes on.")]
        public static partial void Failed(ILogger logger, Exception exception);
    }
}
