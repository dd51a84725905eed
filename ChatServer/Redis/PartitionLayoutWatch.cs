using ChatServer.Configuration;

namespace ChatServer.Redis;

/// <summary>
/// Tells this node at its start over how many partitions the rooms are spread, as soon as Redis can be asked; before that nobody can enter
/// a room. Later it sees to it that the number stays written, and ends the node if Redis holds data of another layout all of a sudden: a
/// node that went on would look for rooms where they are not.
/// </summary>
internal sealed partial class PartitionLayoutWatch(
    PartitionLayout layout, RedisKeys keys, IHostApplicationLifetime lifetime, TimeProvider time, ILogger<PartitionLayoutWatch> logger)
    : BackgroundService
{
    /// <summary>EX_TEMPFAIL of sysexits.h: start it again.</summary>
    public const int RestartExitCode = 75;

    /// <summary>Whether it has ended the node.</summary>
    public bool HasEndedTheNode { get; private set; }

    /// <exception cref="SettingsException">The data is laid out otherwise than CHAT_PARTITIONS says.</exception>
    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        try
        {
            await LookAsync();
        }
        catch (RedisUnavailableException)
        {
            // The node starts all the same, and the log tells that Redis is out of reach.
        }

        await base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(keys.AreKnown ? RedisOptions.LayoutCheckInterval : RedisOptions.HeartbeatInterval, time, stoppingToken)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                await LookAsync();
            }
            catch (RedisUnavailableException)
            {
                // The next look.
            }
            catch (SettingsException exception)
            {
                End(exception.Message);
                return;
            }
            catch (Exception exception)
            {
                // A bug of ours must be seen, and must not end the node.
                Log.Failed(logger, exception);
            }
        }
    }

    private async Task LookAsync()
    {
        var written = await layout.WriteAsync(keys.AreKnown ? keys.Partitions : await layout.FindAsync());
        if (!keys.AreKnown)
        {
            keys.LayOut(written);
            Log.Known(logger, written);
        }
        else if (keys.Partitions != written)
        {
            End($"The rooms in Redis are spread over {written} partitions now, not over {keys.Partitions} any more.");
        }
    }

    private void End(string why)
    {
        HasEndedTheNode = true;
        Log.Ended(logger, why);
        lifetime.StopApplication();
    }

    private static partial class Log
    {
        [LoggerMessage(110, LogLevel.Information, "The rooms in Redis are spread over {Partitions} partitions.")]
        public static partial void Known(ILogger logger, int partitions);

        [LoggerMessage(112, LogLevel.Error, "Unexpected error while looking how rooms are laid out in Redis; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception);

        [LoggerMessage(111, LogLevel.Critical, "The node ends. {Why} Was another backup restored? Start all nodes again.")]
        public static partial void Ended(ILogger logger, string why);
    }
}
