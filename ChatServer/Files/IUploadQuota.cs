using ChatServer.Redis;

namespace ChatServer.Files;

/// <summary>
/// Counts what each user sends in an hour of the clock, over all nodes and companies (<see cref="FilesOptions.QuotaBytes"/>).
/// </summary>
internal interface IUploadQuota
{
    /// <returns>False if the user has sent too much already; nothing is counted then.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<bool> TryTakeAsync(long userId, long bytes);

    /// <summary>Bytes that were counted and did not come.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach: they stay counted for the rest of the hour.</exception>
    ValueTask GiveBackAsync(long userId, long bytes);
}
