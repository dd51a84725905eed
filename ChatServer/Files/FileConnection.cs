using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Files;

/// <summary>
/// A connection to Redis for the contents of files alone: on the one for messages each message would wait for whole chunks.
/// </summary>
internal sealed class FileConnection : IAsyncDisposable
{
    private readonly RedisConnection _connection;

    public FileConnection(RedisOptions options, ILogger<RedisConnection> logger)
    {
        _connection = RedisConnection.Open(options, logger);
        Database = _connection.Multiplexer.GetDatabase();
    }

    public IDatabase Database { get; }

    public ValueTask DisposeAsync() => _connection.DisposeAsync();
}
