using ChatServer.Files;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Keeps files that wait for Quantum: soon after the start, then four times per retention it renews the retention of each file in the
/// outbox, so that neither an outage nor nodes that are restarted again and again outlast them. Every node does it for all lanes; if
/// nothing waits, it costs one read each.
/// </summary>
internal sealed partial class FileRetentionRenewer(
    IOutbox outbox, IFileStore files, FilesOptions options, TimeProvider time, ILogger<FileRetentionRenewer> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var interval = options.Retention / OutboxOptions.RenewalsPerRetention;
        var within = interval < OutboxOptions.FirstRenewalWithin ? interval : OutboxOptions.FirstRenewalWithin;
        await Task.Delay(within * Random.Shared.NextDouble(), time, stoppingToken);
        using var timer = new PeriodicTimer(interval, time);
        do
        {
            for (var lane = 0; lane < RedisKeys.Lanes && !stoppingToken.IsCancellationRequested; lane++)
            {
                try
                {
                    if (lane < outbox.Lanes)
                    {
                        await KeepAsync(lane);
                    }
                }
                catch (Exception exception)
                {
                    // Whatever it is: the other lanes' files must be kept, and it must not end the node.
                    Log.NotRenewed(logger, exception, lane);
                }
            }
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task KeepAsync(int lane)
    {
        await foreach (var file in outbox.WaitingFilesAsync(lane))
        {
            await files.KeepAsync(file);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(940, LogLevel.Warning,
            "Lane {Lane}: files that wait for Quantum could not be kept for longer; the next round tries again.")]
        public static partial void NotRenewed(ILogger logger, Exception exception, int lane);
    }
}
