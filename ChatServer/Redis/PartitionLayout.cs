using System.Globalization;
using ChatServer.Configuration;
using ChatServer.Protocol;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>
/// Over how many partitions the rooms in this Redis are spread. Rooms are found by it, so it is fixed for good once there is data: the
/// first node writes it down beside the data, and all others go by that.
/// </summary>
internal sealed class PartitionLayout(IConnectionMultiplexer redis, RedisOptions options, TimeProvider time)
{
    /// <summary>How many keys Redis looks at in one step of the search, which takes it a few milliseconds.</summary>
    private const int KeysAtOnce = 10_000;

    private static readonly string LayoutScript = EmbeddedScript.Load("layout.lua");

    private readonly IDatabase _database = redis.GetDatabase();

    /// <summary>Finds the number without writing it down.</summary>
    /// <returns>What is written; else what the data that is there shows; else what CHAT_PARTITIONS says, or its default.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    /// <exception cref="SettingsException">The data is laid out otherwise than CHAT_PARTITIONS says.</exception>
    public async Task<int> FindAsync() =>
        await WrittenAsync() is { } written ? Agreed(written) : await GuessAsync();

    /// <summary>Writes the number down, unless one is written already. Works although Redis is full.</summary>
    /// <returns>The one that is written now.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    /// <exception cref="SettingsException">It is not the one that CHAT_PARTITIONS says.</exception>
    public async Task<int> WriteAsync(int partitions) =>
        Agreed((string)(await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            EmbeddedScript.AllowedWhenFull(LayoutScript, redis), [RedisKeys.Layout], [partitions])))!);

    private async Task<string?> WrittenAsync() => await RedisCalls.TryAsync(() => _database.StringGetAsync(RedisKeys.Layout));

    private int Agreed(string written)
    {
        if (!int.TryParse(written, NumberStyles.None, CultureInfo.InvariantCulture, out var partitions)
            || partitions is < 1 or > RedisOptions.MaxPartitions)
        {
            throw Wrong($"the key {RedisKeys.Layout} in Redis holds no number from 1 to {RedisOptions.MaxPartitions}. Somebody else has "
                + "written it; delete it if the data is ChatServer's.");
        }

        return options.Partitions is { } wanted && wanted != partitions ? throw OtherThan(partitions, wanted) : partitions;
    }

    /// <summary>The versions before this one wrote nothing down.</summary>
    private async Task<int> GuessAsync()
    {
        if (await KeysOfOursAsync() is not { Count: > 0 } found)
        {
            return options.Partitions ?? RedisOptions.DefaultPartitions;
        }

        // A Redis that was emptied while nodes run lacks the number for a moment as well: they write it down again.
        await Task.Delay(2 * RedisOptions.LayoutCheckInterval, time);
        if (await WrittenAsync() is { } written)
        {
            return Agreed(written);
        }

        var partitions = options.Partitions ?? RedisOptions.FormerDefaultPartitions;
        var keys = new RedisKeys(partitions);
        foreach (var (partition, room) in found.Select(RedisKeys.PlaceOf).OfType<(int Partition, RoomKey Room)>())
        {
            if (keys.PartitionOf(room) != partition)
            {
                throw options.Partitions is null
                    ? Wrong("is not set, and the rooms in Redis are spread neither over this version's number of partitions nor over the "
                        + "former one's. Set it to what it was.")
                    : Wrong($"\"{partitions}\" is not the number over which the rooms in Redis are spread. Set it to what it was, or "
                        + $"remove it if it was not set: then it was {RedisOptions.FormerDefaultPartitions}.");
            }
        }

        return partitions;
    }

    /// <returns>Some keys of rooms, if there are any.</returns>
    private async Task<IReadOnlyList<string>> KeysOfOursAsync()
    {
        var cursor = "0";
        do
        {
            var from = cursor;
            var answer = (RedisResult[])(await RedisCalls.TryAsync(
                () => _database.ExecuteAsync("SCAN", from, "MATCH", RedisKeys.OfPartitions, "COUNT", KeysAtOnce)))!;
            cursor = (string)answer[0]!;
            if ((string[])answer[1]! is { Length: > 0 } found)
            {
                return found;
            }
        }
        while (cursor != "0");
        return [];
    }

    private static SettingsException OtherThan(int partitions, int wanted) =>
        Wrong($"\"{wanted}\" is not the number over which the rooms in Redis are spread. Remove the setting, or set it to {partitions}.");

    private static SettingsException Wrong(string what) => new([$"CHAT_PARTITIONS: {what}"]);
}
