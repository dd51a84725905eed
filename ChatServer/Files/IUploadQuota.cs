using ChatServer.Redis;

namespace ChatServer.Files;

/// <summary>
/// Counts what each user sends in an hour of the clock, over all nodes and companies (<see cref="FilesOptions.QuotaBytes"/>).
/// </summary>
internal interface IUploadQuota
{
    /// <returns>The hour in which they are counted; null if the user has sent too much already: nothing is counted then.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<long?> TryTakeAsync(long userId, long bytes);

    /// <summary>Bytes that were counted and did not come; the next hour's are not touched by them.</summary>
    /// <param name="userId">Whose.</param>
    /// <param name="hour">As <see cref="TryTakeAsync"/> gave it.</param>
    /// <param name="bytes">How many.</param>
    /// <exception cref="RedisUnavailableException">Redis is out of reach: they stay counted for the rest of the hour.</exception>
    ValueTask GiveBackAsync(long userId, long hour, long bytes);
}
