using ChatServer.Connections;
using ChatServer.Redis;
using ChatServer.Sessions;

namespace ChatServer.Users;

/// <summary>
/// Remembers the sessions of connected users whose messages wait for a REST token, when a node asks for one. Others are remembered when
/// they write: most who connect never need it.
/// </summary>
internal sealed partial class TokenRequests(
    ISessionStore sessions, UserTokens tokens, ConnectionRegistry connections, TimeProvider time, ILogger<TokenRequests> logger)
    : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        RedisRetry.UntilDoneAsync(() => ListenAsync(stoppingToken), () => RedisOptions.ResubscribePause, time, cancellation: stoppingToken);

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await sessions.ListenForTokensAsync(user => _ = RememberAsync(user));
        await Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private async Task RememberAsync(long user)
    {
        try
        {
            foreach (var caller in connections.OfUser(user).Select(connection => connection.Caller!).DistinctBy(caller => caller.Session))
            {
                await tokens.RememberAsync(caller);
            }
        }
        catch (RedisUnavailableException exception)
        {
            // It is asked for again.
            Log.NotRemembered(logger, exception, user);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1030, LogLevel.Debug, "The sessions of user {UserId}, whose messages wait for a token, could not be remembered.")]
        public static partial void NotRemembered(ILogger logger, Exception exception, long userId);
    }
}
