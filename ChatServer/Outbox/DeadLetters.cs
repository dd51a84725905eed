using ChatServer.Protocol;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Outbox;

/// <summary>One message that is not saved in Quantum unless an operator retries it.</summary>
internal sealed record DeadLetter(int Partition, string Id, StoredMessage Message, string Reason, string At);

/// <summary>The dead letters of all rooms, in Redis, for an operator.</summary>
internal sealed class DeadLetters(IConnectionMultiplexer redis, RedisKeys keys)
{
    private static readonly string RetryScript = EmbeddedScript.Load("retry.lua");

    private readonly IDatabase _database = redis.GetDatabase();

    /// <summary>All of them, partition by partition, the oldest first.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async IAsyncEnumerable<DeadLetter> ListAsync()
    {
        for (var partition = 0; partition < keys.Partitions; partition++)
        {
            RedisValue start = "-";
            StreamEntry[] page;
            do
            {
                var from = start;
                page = await RedisCalls.TryAsync(
                    () => _database.StreamRangeAsync(RedisKeys.DeadLetters(partition), from, "+", OutboxOptions.DeadLettersPage));
                foreach (var entry in page)
                {
                    yield return new(partition, entry.Id!, Read((byte[]?)entry["m"], entry.Id!), entry["r"]!, entry["at"]!);
                    start = "(" + entry.Id;
                }
            }
            while (page.Length == OutboxOptions.DeadLettersPage);
        }
    }

    /// <summary>What can't be read is shown all the same, under the id that it has in the stream.</summary>
    private static StoredMessage Read(byte[]? json, string id) =>
        StoredMessage.TryRead(json) ?? new("?", 0, 0, id, 0, 0, null, "");

    /// <summary>Has it saved after all, before what its room still has to save.</summary>
    /// <returns>False if it is no longer there, or can't be read.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async ValueTask<bool> RetryAsync(DeadLetter letter) =>
        letter.Message.RoomId > 0
        && (bool)await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            RetryScript,
            [RedisKeys.DeadLetters(letter.Partition), keys.Aside(letter.Message.Room), RedisKeys.Unsaved(letter.Partition)],
            [letter.Id, RedisKeys.Member(letter.Message.Room), keys.OutboxFilled, letter.Partition]));

    /// <summary>Deletes it for good.</summary>
    /// <returns>False if it is no longer there.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async ValueTask<bool> DropAsync(DeadLetter letter) =>
        await RedisCalls.TryAsync(() => _database.StreamDeleteAsync(RedisKeys.DeadLetters(letter.Partition), [letter.Id])) > 0;
}
