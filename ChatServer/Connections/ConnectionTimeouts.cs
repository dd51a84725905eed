using ChatServer.Protocol;
using ChatServer.WebSockets;

namespace ChatServer.Connections;

/// <summary>
/// Closes or pings silent connections, with one timer for all of them instead of three timers each: those that don't authenticate in
/// time, those to ping, those that don't answer, and those that don't take what waits for them. Limits are accurate to
/// <see cref="ConnectionOptions.TimeoutCheckInterval"/>.
/// </summary>
internal sealed partial class ConnectionTimeouts(
    ConnectionRegistry connections, ConnectionOptions options, TimeProvider time, ILogger<ConnectionTimeouts> logger) : BackgroundService
{
    private static readonly byte[] Ping = FrameWriter.Frame(Opcode.Ping, []);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(ConnectionOptions.TimeoutCheckInterval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            foreach (var connection in connections.All)
            {
                try
                {
                    Watch(connection);
                }
                catch (Exception exception)
                {
                    // A bug of ours must be seen, and must not end the watch over the others: that would end the node.
                    Log.Failed(logger, exception, connection.IdText);
                }
            }
        }
    }

    private void Watch(Connection connection)
    {
        connection.CloseIfTooSlow();
        if (connection.Caller is null)
        {
            if (time.GetElapsedTime(connection.OpenedAt) >= options.AuthTimeout)
            {
                connection.Close(CloseReason.AuthTimeout);
            }
        }
        else if (connection.IsBusy)
        {
            // Its pongs may lie unread.
        }
        else if (connection.PingedAt is var pinged and not 0)
        {
            if (time.GetElapsedTime(pinged) >= options.PongTimeout)
            {
                connection.Close(CloseReason.NoPong);
            }
        }
        else if (time.GetElapsedTime(connection.HeardAt) >= options.PingInterval)
        {
            connection.PingedAt = time.GetTimestamp();
            connection.Send(Ping);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(600, LogLevel.Error, "Unexpected error while watching connection {Connection}; the others are not affected.")]
        public static partial void Failed(ILogger logger, Exception exception, string connection);
    }
}
