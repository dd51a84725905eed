using System.Diagnostics.CodeAnalysis;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Operations;

/// <summary>
/// The first step of a stop: shows every connection to another node (1012), spread evenly over <see cref="OperationsOptions.Drain"/>, so that
/// the others are not stormed. Until it is over the ports stay open: <c>/readyz</c> and new sockets are answered 503. Connections that are
/// in the midst of something are closed when that is done, at the latest when the time is over.
/// </summary>
/// <remarks>It runs while the host calls <see cref="StoppingAsync"/>, before it stops anything else.</remarks>
[SuppressMessage("Design", "CA1001",
    Justification = "The source has no timer and no handle to close, and a signal may come until the process has ended.")]
internal sealed partial class Drain(
    ConnectionRegistry connections, OperationsOptions options, IHostApplicationLifetime lifetime, IServiceProvider services,
    TimeProvider time, ILogger<Drain> logger) : IHostedLifecycleService
{
    private readonly CancellationTokenSource _end = new();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Completes when the drain is over, and the rest of the stop begins.</summary>
    public Task Ended => _ended.Task;

    /// <summary>Ends it at once, also one that has not begun: whoever is still connected is closed now.</summary>
    public void End() => _end.Cancel();

    public async Task StoppingAsync(CancellationToken cancellationToken)
    {
        // A stop that no signal has begun is announced here: from now on new sockets are refused.
        lifetime.StopApplication();
        try
        {
            // A node that has found out that it looks for rooms where they are not must not go on.
            var isWrong = services.GetService<PartitionLayoutWatch>() is { HasEndedTheNode: true };
            await RunAsync(isWrong ? TimeSpan.Zero : options.Drain);
        }
        finally
        {
            _ended.TrySetResult();
        }
    }

    public Task StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    private async Task RunAsync(TimeSpan within)
    {
        var count = connections.Count;
        if (count > 0)
        {
            Log.Begins(logger, count, within);
        }

        await SpreadAsync(within);
        await _end.CancelAsync();
        var cut = connections.All.Count(connection => !connection.IsClosing);
        if (cut > 0 && within > TimeSpan.Zero)
        {
            Log.Cut(logger, cut);
        }

        // Again and again: an upgrade may have been under way when the stop began.
        var began = time.GetTimestamp();
        do
        {
            connections.CloseAll(CloseReason.Restart);
            await Task.Delay(OperationsOptions.DrainStep, time);
        }
        while (connections.Count > 0 && time.GetElapsedTime(began) < OperationsOptions.CloseWithin);
    }

    private async Task SpreadAsync(TimeSpan within)
    {
        var began = time.GetTimestamp();
        var waiting = new Queue<Connection>(InTurn(connections.All));
        var late = new List<Connection>();
        var due = 1.0;
        for (var left = within; left > TimeSpan.Zero && connections.Count > 0 && !_end.IsCancellationRequested;)
        {
            late.RemoveAll(TryClose);
            while (due >= 1 && waiting.TryDequeue(out var connection))
            {
                if (TryClose(connection))
                {
                    due--;
                }
                else
                {
                    late.Add(connection);
                }
            }

            if (waiting.Count == 0)
            {
                waiting = new(InTurn(connections.All.Where(connection => !connection.IsClosing).Except(late)));
            }

            await Task.Delay(OperationsOptions.DrainStep, time, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            var leftNow = within - time.GetElapsedTime(began);
            due += waiting.Count * ((left - leftNow) / left);
            left = leftNow;
        }
    }

    /// <returns>False if it is in the midst of something that should be finished first.</returns>
    private bool TryClose(Connection connection)
    {
        if (connection.Work is { IsUnderWay: true })
        {
            return false;
        }

        connection.CloseWhenAnswered(CloseReason.Restart, _end.Token);
        return true;
    }

    /// <summary>In random order, so that no room or company goes all at once; those that nobody has logged in on yet lose nothing, and go first.</summary>
    private static IEnumerable<Connection> InTurn(IEnumerable<Connection> connections)
    {
        var all = connections.ToArray();
        Random.Shared.Shuffle(all);
        return all.OrderBy(connection => connection.Caller is not null);
    }

    private static partial class Log
    {
        [LoggerMessage(1400, LogLevel.Information,
            "The node stops: {Count} connections are sent to other nodes within {Within} (DRAIN_SECONDS); a second signal ends that at once.")]
        public static partial void Begins(ILogger logger, int count, TimeSpan within);

        [LoggerMessage(1401, LogLevel.Warning,
            "{Count} connections had something under way to the end, or came late, and are closed all the same; clients send again.")]
        public static partial void Cut(ILogger logger, int count);
    }
}
