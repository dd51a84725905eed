using System.Net;
using ChatServer.Backplane;
using ChatServer.Outbox;
using ChatServer.Redis.Subscriptions;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Sessions;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis.Support;

/// <summary>One node's share of Redis: its own connection and subscriptions, with the service's own timeouts.</summary>
internal sealed class RedisNode : IAsyncDisposable
{
    private readonly RedisConnection _redis;
    private readonly RedisSubscriptions _subscriptions;

    private RedisNode(RedisOptions options)
    {
        _redis = RedisConnection.Open(options, NullLogger<RedisConnection>.Instance);
        _subscriptions = new(options, _redis, TimeProvider.System, NullLogger<RedisSubscriptions>.Instance);
        Backplane = new RedisBackplane(
            Connection, _subscriptions, Keys, RoomOptions.Log, TimeProvider.System, NullLoggerFactory.Instance);
        Tokens = new(
            new RedisSessionStore(Connection), new(new SessionOptions(), TimeProvider.System), new SessionOptions(), TimeProvider.System);
        Outbox = new RedisOutbox(
            Connection, _subscriptions, Keys, RoomOptions.Log, new FormerOutbox(Connection, Keys, Tokens, TimeProvider.System),
            TimeProvider.System, NullLogger<RedisOutbox>.Instance);
    }

    public IConnectionMultiplexer Connection => _redis.Multiplexer;

    public IDatabase Database => Connection.GetDatabase();

    public RedisKeys Keys { get; } = new(RedisOptions.DefaultPartitions);

    public RedisBackplane Backplane { get; }

    public UserTokens Tokens { get; }

    public RedisOutbox Outbox { get; }

    /// <summary>What a node is told that has only REDIS_HOST and REDIS_PORT set.</summary>
    public static RedisOptions OptionsFor(int port) =>
        new([new DnsEndPoint(RedisServer.Host, port)], null, null, 0, false, RedisOptions.DefaultPartitions, false);

    public static Task<RedisNode> ConnectAsync(RedisServer redis) => ConnectAsync(redis.Port);

    public static async Task<RedisNode> ConnectAsync(int port)
    {
        var node = new RedisNode(OptionsFor(port));
        await node._subscriptions.StartAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15));
        return node;
    }

    public async ValueTask DisposeAsync()
    {
        await _subscriptions.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(15));
        _subscriptions.Dispose();
        await _redis.DisposeAsync();
    }
}
