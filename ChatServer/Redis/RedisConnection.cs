using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>
/// The node's connection to Redis. It is opened at the start, kept up by StackExchange.Redis, and logs when it breaks and when it is back.
/// </summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    private readonly ILogger<RedisConnection> _logger;

    private RedisConnection(IConnectionMultiplexer multiplexer, ILogger<RedisConnection> logger)
    {
        (Multiplexer, _logger) = (multiplexer, logger);
        multiplexer.ConnectionFailed += (_, failure) =>
            Log.Lost(_logger, failure.EndPoint, failure.ConnectionType, failure.Exception?.Message ?? failure.FailureType.ToString());
        multiplexer.ConnectionRestored += (_, restored) => Log.Restored(_logger, restored.EndPoint, restored.ConnectionType);
    }

    public IConnectionMultiplexer Multiplexer { get; }

    /// <summary>Connects; if Redis is out of reach it keeps trying, and the log says so.</summary>
    public static RedisConnection Open(RedisOptions options, ILogger<RedisConnection> logger)
    {
        var multiplexer = ConnectionMultiplexer.Connect(options.ToConfiguration());
        var connection = new RedisConnection(multiplexer, logger);
        var servers = string.Join(", ", options.EndPoints.Select(endPoint => $"{endPoint.Host}:{endPoint.Port}"));
        if (multiplexer.IsConnected)
        {
            Log.Connected(logger, servers);
        }
        else
        {
            Log.Unreachable(logger, servers);
        }

        return connection;
    }

    /// <summary>Whether Redis answers now.</summary>
    public async ValueTask<bool> IsReachableAsync()
    {
        try
        {
            await Multiplexer.GetDatabase().PingAsync().WaitAsync(RedisOptions.AnswerWithin);
            return true;
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            return false;
        }
    }

    public ValueTask DisposeAsync() => Multiplexer.DisposeAsync();

    private static partial class Log
    {
        [LoggerMessage(100, LogLevel.Information, "Connected to Redis at {Servers}.")]
        public static partial void Connected(ILogger logger, string servers);

        [LoggerMessage(101, LogLevel.Error,
            "Redis at {Servers} is out of reach. Nobody can log in until it is back; the node keeps trying. Check "
            + "REDIS_HOST, REDIS_PORT, REDIS_USER and REDIS_PASSWORD.")]
        public static partial void Unreachable(ILogger logger, string servers);

        [LoggerMessage(102, LogLevel.Error, "The {Kind} connection to Redis at {EndPoint} is lost; the node reconnects. Reason: {Why}")]
        public static partial void Lost(ILogger logger, System.Net.EndPoint? endPoint, ConnectionType kind, string why);

        [LoggerMessage(103, LogLevel.Information, "The {Kind} connection to Redis at {EndPoint} is back.")]
        public static partial void Restored(ILogger logger, System.Net.EndPoint? endPoint, ConnectionType kind);
    }
}
