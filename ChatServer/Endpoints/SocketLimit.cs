using Microsoft.AspNetCore.Connections;

namespace ChatServer.Endpoints;

/// <summary>
/// Counts the sockets of clients, and keeps them below what the process may have open. Without it the system refuses every socket and file
/// alike once the table is full: nobody is served, and the runtime itself fails.
/// </summary>
/// <param name="most">Null: nothing bounds them.</param>
internal sealed partial class SocketLimit(int? most, ILogger<SocketLimit> logger)
{
    private int _open;

    /// <summary>Counts a socket that was accepted; <see cref="ServeAsync"/> has to follow.</summary>
    /// <returns>False if there are too many: it is not counted, and to be closed at once.</returns>
    public bool TryEnter()
    {
        if (Interlocked.Increment(ref _open) <= (most ?? int.MaxValue))
        {
            return true;
        }

        Interlocked.Decrement(ref _open);
        Log.Full(logger, most!.Value);
        return false;
    }

    /// <summary>Serves a socket that is counted, until its end.</summary>
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        try
        {
            await next(connection);
        }
        finally
        {
            Interlocked.Decrement(ref _open);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1310, LogLevel.Error,
            "A socket was closed: the node has {Most}, as many as the limit of open files leaves room for. Raise that limit (ulimit -n, "
            + "LimitNOFILE= in systemd), or lower MAX_CONNECTIONS.")]
        public static partial void Full(ILogger logger, int most);
    }
}
