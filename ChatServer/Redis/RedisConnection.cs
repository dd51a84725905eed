using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>The node's connection to Redis. It is made at the start, kept by StackExchange.Redis, and says in the log when it breaks and is back.</summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    private readonly ILogger<RedisConnection> _logger;

    private RedisConnection(IConnectionMultiplexer multiplexer, ILogger<RedisConnection> logger)
    {
        (Multiplexer, _logger) = (multiplexer, logger);
        multiplexer.ConnectionFailed += (_, failure) => LogLost(failure.EndPoint, failure.ConnectionType, failure.Exception?.Message ?? failure.FailureType.ToString());
        multiplexer.ConnectionRestored += (_, restored) => LogRestored(restored.EndPoint, restored.ConnectionType);
    }

    public IConnectionMultiplexer Multiplexer { get; }

    /// <summary>Connects; where Redis is out of reach it goes on trying, and the log says so.</summary>
    public static RedisConnection Open(RedisOptions options, ILogger<RedisConnection> logger)
    {
        var multiplexer = ConnectionMultiplexer.Connect(options.ToConfiguration());
        var connection = new RedisConnection(multiplexer, logger);
        var servers = string.Join(", ", options.EndPoints.Select(endPoint => $"{endPoint.Host}:{endPoint.Port}"));
        if (multiplexer.IsConnected)
        {
            connection.LogConnected(servers);
        }
        else
        {
            connection.LogOutOfReach(servers);
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

    [LoggerMessage(200, LogLevel.Information, "Connected to Redis at {Servers}.")]
    private partial void LogConnected(string servers);

    [LoggerMessage(201, LogLevel.Error, "Redis at {Servers} can't be reached (REDIS_HOST, REDIS_PORT, REDIS_USER, REDIS_PASSWORD). Nobody can log in until it can; trying on.")]
    private partial void LogOutOfReach(string servers);

    [LoggerMessage(202, LogLevel.Error, "Lost the {Kind} connection to Redis at {EndPoint}: {Why}")]
    private partial void LogLost(System.Net.EndPoint? endPoint, ConnectionType kind, string why);

    [LoggerMessage(203, LogLevel.Information, "The {Kind} connection to Redis at {EndPoint} is back.")]
    private partial void LogRestored(System.Net.EndPoint? endPoint, ConnectionType kind);
}
