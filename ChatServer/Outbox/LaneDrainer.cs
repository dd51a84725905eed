using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Begins with each room of one lane that has something to save, while this node has the lane's lease: rooms are saved side by side. It is
/// told of them, and looks now and then for those of which it was not told.
/// </summary>
/// <param name="drain">Makes what saves a room's messages.</param>
internal sealed partial class LaneDrainer(
    int lane, IOutbox outbox, Func<RoomKey, RoomDrainer> drain, TimeProvider time, ILogger<LaneDrainer> logger) : IAsyncDisposable
{
    private readonly SemaphoreSlim _look = new(0, 1);
    private readonly Dictionary<RoomKey, (RoomDrainer Drainer, Task Saving)> _rooms = [];
    private readonly CancellationTokenSource _stopping = new();
    private readonly Lock _gate = new();
    private Task _running = Task.CompletedTask;

    /// <summary>Looks for rooms from now on, and at once. Whatever goes wrong, it does not end before <see cref="DisposeAsync"/>.</summary>
    public void Start() => _running = RunAsync(_stopping.Token);

    /// <summary>A room has something to save. When the drainer stops, or has stopped, nothing is begun.</summary>
    public void Begin(RoomKey room)
    {
        lock (_gate)
        {
            if (_stopping.IsCancellationRequested)
            {
                return;
            }

            if (_rooms.TryGetValue(room, out var running))
            {
                running.Drainer.IsMetAgain = true;
                return;
            }

            var (drainer, stopping) = (drain(room), _stopping.Token);
            _rooms[room] = (drainer, Task.Run(() => SaveAsync(drainer, stopping), CancellationToken.None));
        }
    }

    /// <summary>There may be rooms that have something to save, of which nobody has told.</summary>
    public void Look()
    {
        lock (_gate)
        {
            if (!_stopping.IsCancellationRequested && _look.CurrentCount == 0)
            {
                _look.Release();
            }
        }
    }

    /// <summary>Completes when nothing is under way any more.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        await _running;
        Task[] saving;
        lock (_gate)
        {
            saving = [.. _rooms.Values.Select(running => running.Saving)];
            _look.Dispose();
        }

        await Task.WhenAll(saving);
        _stopping.Dispose();
    }

    private async Task RunAsync(CancellationToken stopping)
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                await LookAroundAsync(stopping);
            }
            catch (Exception exception)
            {
                // Whatever it is: this node has the lease, so nobody else would drain.
                Interrupted(exception, stopping);
                await Task.Delay(BackOff.Jitter(OutboxOptions.PauseAfterFailure), time, stopping)
                    .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task LookAroundAsync(CancellationToken stopping)
    {
        long? tookOver = null;
        while (!stopping.IsCancellationRequested)
        {
            if (tookOver is not { } at || time.GetElapsedTime(at) >= OutboxOptions.LookForFormer)
            {
                await outbox.TakeOverFormerAsync(lane);
                tookOver = time.GetTimestamp();
            }

            foreach (var unsaved in await outbox.UnsavedAsync(lane))
            {
                Begin(unsaved.Room);
            }

            await _look.WaitAsync(OutboxOptions.LookAgain, stopping);
        }
    }

    private async Task SaveAsync(RoomDrainer room, CancellationToken stopping)
    {
        do
        {
            await room.RunAsync(stopping);
        }
        while (!TryEnd(room, stopping));
    }

    /// <returns>False if there may be more to save.</returns>
    private bool TryEnd(RoomDrainer room, CancellationToken stopping)
    {
        lock (_gate)
        {
            return (!room.IsMetAgain || stopping.IsCancellationRequested) && _rooms.Remove(room.Room);
        }
    }

    private void Interrupted(Exception exception, CancellationToken stopping)
    {
        if (exception is RedisUnavailableException)
        {
            Log.Waiting(logger, exception, lane);
        }
        else if (!stopping.IsCancellationRequested)
        {
            Log.Failed(logger, exception, lane);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(910, LogLevel.Warning, "Lane {Lane}: Redis is out of reach; what is to be saved waits.")]
        public static partial void Waiting(ILogger logger, Exception exception, int lane);

        [LoggerMessage(912, LogLevel.Error,
            "Lane {Lane}: unexpected error while looking for what is to be saved; it goes on after a pause.")]
        public static partial void Failed(ILogger logger, Exception exception, int lane);
    }
}
