using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using StackExchange.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// The outbox in Redis: a stream per partition, and a lease per partition, a key that holds a node's name and expires. With one drainer at
/// a time the stream itself tells what is pending: no consumer group is needed that another node would have to take over.
/// </summary>
internal sealed class RedisOutbox(IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys, TimeProvider time)
    : IOutbox
{
    private static readonly string LeaseScript = EmbeddedScript.Load("lease.lua");
    private static readonly string ReleaseScript = EmbeddedScript.Load("release.lua");
    private static readonly string DeadLetterScript = EmbeddedScript.Load("dead-letter.lua");

    /// <summary>This node's name, unlike any other's.</summary>
    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly IDatabase _database = redis.GetDatabase();

    public int Partitions => keys.Partitions;

    public async ValueTask<bool> TryLeaseAsync(int partition) =>
#if FAULT_INJECTION
        FaultInjection.Disables("lease") ||
#endif
        (bool)await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            LeaseScript, [RedisKeys.Lease(partition)], [_node, (long)OutboxOptions.LeaseTime.TotalMilliseconds]));

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

    public async ValueTask MoveToDeadLettersAsync(int partition, OutboxEntry entry, string reason) =>
        await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            DeadLetterScript,
            [RedisKeys.Outbox(partition), RedisKeys.DeadLetters(partition)],
            [entry.Id, entry.Message, entry.TokenKey, reason, MessageComposer.Timestamp(time.GetUtcNow())]));

    public async ValueTask<int> CountNodesAsync()
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("lease"))
        {
            return 1;
        }

#endif
        var now = time.GetUtcNow().ToUnixTimeMilliseconds();
        return await RedisCalls.TryAsync(async () =>
        {
            var seen = _database.SortedSetAddAsync(RedisKeys.Nodes, _node, now);
            var forgotten = _database.SortedSetRemoveRangeByScoreAsync(
                RedisKeys.Nodes, double.NegativeInfinity, now - OutboxOptions.LeaseTime.TotalMilliseconds);
            var count = _database.SortedSetLengthAsync(RedisKeys.Nodes);
            await Task.WhenAll(seen, forgotten, count);
            return (int)await count;
        });
    }

    public async ValueTask SignOffAsync() => await RedisCalls.TryAsync(() => _database.SortedSetRemoveAsync(RedisKeys.Nodes, _node));

    public async ValueTask<OutboxSize> SizeAsync() =>
        await RedisCalls.TryAsync(async () =>
        {
            var waiting = Task.WhenAll(
                Enumerable.Range(0, Partitions).Select(partition => _database.StreamLengthAsync(RedisKeys.Outbox(partition))));
            var dead = Task.WhenAll(
                Enumerable.Range(0, Partitions).Select(partition => _database.StreamLengthAsync(RedisKeys.DeadLetters(partition))));
            return new OutboxSize((await waiting).Sum(), (await dead).Sum());
        });

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled) =>
        subscriptions.SubscribeAsync(RedisKeys.OutboxFilled, payload =>
        {
            if (int.TryParse(payload, NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            {
                filled(partition);
            }
        });
}
