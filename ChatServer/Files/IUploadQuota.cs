using ChatServer.Redis;
using ChatServer.Relay;
using StackExchange.Redis;

namespace ChatServer.Files;

/// <summary>Counts what each user sends in an hour of the clock, over all nodes and companies (<see cref="FilesOptions.QuotaBytes"/>).</summary>
internal interface IUploadQuota
{
    /// <returns>False where the user has sent too much already; nothing is counted then.</returns>
    /// <exception cref="RelayUnavailableException">Redis is out of reach.</exception>
    ValueTask<bool> TryTakeAsync(long userId, long bytes);

    /// <summary>Bytes that were counted and did not come.</summary>
    /// <exception cref="RelayUnavailableException">Redis is out of reach: they stay counted for the rest of the hour.</exception>
    ValueTask GiveBackAsync(long userId, long bytes);
}

/// <summary>The quota in Redis: one number per user and hour.</summary>
internal sealed class RedisUploadQuota(IConnectionMultiplexer redis, FilesOptions options, TimeProvider time) : IUploadQuota
{
    private const int SecondsPerHour = 3600;

    private static readonly string Script = EmbeddedScript.Load("quota.lua");

    private readonly IDatabase _database = redis.GetDatabase();

    public async ValueTask<bool> TryTakeAsync(long userId, long bytes) => options.QuotaBytes == 0 || await CountAsync(userId, bytes);

    public async ValueTask GiveBackAsync(long userId, long bytes)
    {
        if (options.QuotaBytes > 0 && bytes > 0)
        {
            await CountAsync(userId, -bytes);
        }
    }

    private async ValueTask<bool> CountAsync(long userId, long bytes) =>
        (bool)await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            Script, [RedisKeys.UploadQuota(userId, time.GetUtcNow().ToUnixTimeSeconds() / SecondsPerHour)], [bytes, options.QuotaBytes, SecondsPerHour]));
}

/// <summary>The quota of the embedded default.</summary>
internal sealed class MemoryUploadQuota(FilesOptions options, TimeProvider time) : IUploadQuota
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, long> _sent = [];
    private long _hour;

    public ValueTask<bool> TryTakeAsync(long userId, long bytes)
    {
        lock (_gate)
        {
            var hour = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
            if (hour != _hour)
            {
                _hour = hour;
                _sent.Clear();
            }

            var sum = Math.Max(0, _sent.GetValueOrDefault(userId) + bytes);
            if (options.QuotaBytes > 0 && sum > options.QuotaBytes)
            {
                return new(false);
            }

            _sent[userId] = sum;
            return new(true);
        }
    }

    public async ValueTask GiveBackAsync(long userId, long bytes) => await TryTakeAsync(userId, -bytes);
}
