using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Files;

/// <summary>The quota in Redis: one number per user and hour.</summary>
internal sealed class RedisUploadQuota(IConnectionMultiplexer redis, FilesOptions options, TimeProvider time) : IUploadQuota
{
    private static readonly long PeriodSeconds = (long)FilesOptions.QuotaPeriod.TotalSeconds;
    private static readonly string Script = EmbeddedScript.Load("quota.lua");

    private readonly IDatabase _database = redis.GetDatabase();

    public async ValueTask<long?> TryTakeAsync(long userId, long bytes)
    {
        var hour = time.GetUtcNow().ToUnixTimeSeconds() / PeriodSeconds;
        return options.QuotaBytes == 0 || await CountAsync(userId, hour, bytes) ? hour : null;
    }

    public async ValueTask GiveBackAsync(long userId, long hour, long bytes)
    {
        if (options.QuotaBytes > 0 && bytes > 0)
        {
            await CountAsync(userId, hour, -bytes);
        }
    }

    private async ValueTask<bool> CountAsync(long userId, long hour, long bytes) =>
        (bool)await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            Script, [RedisKeys.UploadQuota(userId, hour)], [bytes, options.QuotaBytes, PeriodSeconds]));
}
