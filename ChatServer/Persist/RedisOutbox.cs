using System.Globalization;
using ChatServer.Redis;
using ChatServer.Relay;
using StackExchange.Redis;

namespace ChatServer.Persist;

/// <summary>
/// The outbox in Redis: a stream per partition, and a lease per partition, a key that holds a node's name and expires. With one drainer at a time the
/// stream itself tells what is pending, so that there is no consumer group to take over from a dead node.
/// </summary>
internal sealed class RedisOutbox(IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys) : IOutbox
{
    private static readonly string LeaseScript = EmbeddedScript.Load("lease.lua");
    private static readonly string ReleaseScript = EmbeddedScript.Load("release.lua");

    /// <summary>This node's name, unlike any other's.</summary>
    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly IDatabase _database = redis.GetDatabase();

    public int Partitions => keys.Partitions;

    public async ValueTask<bool> TryLeaseAsync(int partition) =>
        (bool)await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            LeaseScript, [RedisKeys.Lease(partition)], [_node, (long)IOutbox.LeaseTime.TotalMilliseconds]));

    public async ValueTask ReleaseAsync(int partition) =>
        await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(ReleaseScript, [RedisKeys.Lease(partition)], [_node]));

    public async ValueTask<IReadOnlyList<OutboxEntry>> ReadAsync(int partition, string after, int count)
    {
        var start = after.Length == 0 ? "-" : "(" + after;
        var entries = await RedisCalls.TryAsync(() => _database.StreamRangeAsync(RedisKeys.Outbox(partition), start, "+", count));
        return [.. entries.Select(entry => new OutboxEntry(entry.Id!, entry["m"], entry["t"]!))];
    }

    public async ValueTask RemoveAsync(int partition, string entryId) =>
        await RedisCalls.TryAsync(() => _database.StreamDeleteAsync(RedisKeys.Outbox(partition), [entryId]));

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled) =>
        subscriptions.SubscribeAsync(RedisKeys.OutboxFilled, payload =>
        {
            if (int.TryParse(payload.Span, NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            {
                filled(partition);
            }
        });
}
