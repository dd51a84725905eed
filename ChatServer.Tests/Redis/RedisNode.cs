using System.Net;
using ChatServer.Persist;
using ChatServer.Redis;
using ChatServer.Relay;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis;

/// <summary>One node's share of Redis: its own connection, with the service's own timeouts.</summary>
internal sealed class RedisNode : IAsyncDisposable
{
    private RedisNode(IConnectionMultiplexer connection)
    {
        Connection = connection;
        Relay = new RedisRelay(connection, Keys, NullLogger<RedisRelay>.Instance);
        Outbox = new RedisOutbox(connection, Keys);
    }

    public IConnectionMultiplexer Connection { get; }

    public IDatabase Database => Connection.GetDatabase();

    public RedisKeys Keys { get; } = new(RedisOptions.DefaultPartitions);

    public RedisRelay Relay { get; }

    public RedisOutbox Outbox { get; }

    public static async Task<RedisNode> ConnectAsync(RedisServer redis)
    {
        var options = new RedisOptions([new DnsEndPoint(RedisServer.Host, redis.Port)], null, null, 0, false, RedisOptions.DefaultPartitions);
        var configuration = options.ToConfiguration();
        configuration.AllowAdmin = true;
        return new(await ConnectionMultiplexer.ConnectAsync(configuration).WaitAsync(TimeSpan.FromSeconds(15)));
    }

    public ValueTask DisposeAsync() => Connection.DisposeAsync();
}
