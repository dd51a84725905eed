using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Redis;

namespace ChatServer.Users;

/// <summary>Passes what is meant for a user, from ChatServer and from Quantum, to all of the user's connections on this node.</summary>
internal sealed partial class UserChannels
{
    private readonly CountedSubscriptions<long, long> _users;
    private readonly ConnectionRegistry _connections;
    private readonly ILogger<UserChannels> _logger;

    public UserChannels(IBackplane backplane, ConnectionRegistry connections, ILogger<UserChannels> logger)
    {
        (_connections, _logger) = (connections, logger);
        _users = new(user => user, user => backplane.SubscribeToUserAsync(user, json => Pass(user, json)));
    }

    /// <exception cref="RedisUnavailableException">Redis is out of reach; nothing is to be left.</exception>
    public async ValueTask EnterAsync(long userId) => await _users.EnterAsync(userId);

    public void Leave(long userId) => _users.Exit(userId);

    private void Pass(long userId, ReadOnlyMemory<byte> json)
    {
        if (UserFrame.ReadAll(json.Span) is not { } frames)
        {
            Log.NoFrame(_logger, userId, json.Length);
            return;
        }

        foreach (var connection in _connections.OfUser(userId))
        {
            connection.SendToUser(frames);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1000, LogLevel.Warning,
            "On channel user_{UserId} came {Bytes} bytes that are not a JSON object with a type; they are dropped. Check "
            + "what Quantum publishes.")]
        public static partial void NoFrame(ILogger logger, long userId, int bytes);
    }
}
