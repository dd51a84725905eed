using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Sessions;
using StackExchange.Redis;

namespace ChatServer.Outbox;

/// <summary>What the version before this one, which had a stream of its own for what is to be saved, has left there.</summary>
internal sealed class FormerOutbox(IConnectionMultiplexer redis, RedisKeys keys, UserTokens tokens, TimeProvider time)
{
    private static readonly string TakeOverScript = EmbeddedScript.Load("take-over.lua");

    private readonly IDatabase _database = redis.GetDatabase();

    /// <summary>Sets its messages aside in their rooms, which save them before what their logs hold.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the rest stays where it is.</exception>
    public async Task TakeOverAsync(int partition)
    {
        var former = RedisKeys.FormerOutbox(partition);
        var kept = new HashSet<long>();
        RedisValue start = "-";
        StreamEntry[] page;
        do
        {
            var from = start;
            page = await RedisCalls.TryAsync(() => _database.StreamRangeAsync(former, from, "+", OutboxOptions.PageEntries));
            foreach (var entry in page)
            {
                ReadOnlyMemory<byte> json = entry["m"];
                var message = StoredMessage.TryRead(json.Span);
                if (message is not null && kept.Add(message.FromUserId) && (string?)entry["t"] is { Length: > 0 } token)
                {
                    await tokens.KeepOldAsync(message.FromUserId, token);
                }

                await TakeOverAsync(partition, entry.Id, json, message?.Room);
                start = "(" + entry.Id;
            }
        }
        while (page.Length == OutboxOptions.PageEntries);
    }

    /// <summary>What can't be read, or lies in the wrong partition, becomes a dead letter.</summary>
    private Task<RedisResult> TakeOverAsync(int partition, RedisValue entry, ReadOnlyMemory<byte> json, RoomKey? room) =>
        room is { } its && keys.PartitionOf(its) == partition
            ? RunAsync(
                [RedisKeys.FormerOutbox(partition), keys.Aside(its), RedisKeys.Unsaved(partition)],
                [entry, json, RedisKeys.Member(its)])
            : RunAsync(
                [RedisKeys.FormerOutbox(partition), RedisKeys.DeadLetters(partition)],
                [entry, json, "It can't be read.", MessageComposer.Timestamp(time.GetUtcNow())]);

    /// <summary>What frees memory in the end works although Redis is full.</summary>
    private Task<RedisResult> RunAsync(RedisKey[] its, RedisValue[] values) =>
        RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(EmbeddedScript.AllowedWhenFull(TakeOverScript, redis), its, values));
}
