using ChatServer.Files;

namespace ChatServer.Embedded;

/// <summary>The quota of the embedded default.</summary>
internal sealed class MemoryUploadQuota(FilesOptions options, TimeProvider time) : IUploadQuota
{
    private readonly Lock _gate = new();
    private readonly Dictionary<long, long> _sent = [];
    private long _hour;

    public ValueTask<long?> TryTakeAsync(long userId, long bytes)
    {
        lock (_gate)
        {
            var hour = time.GetUtcNow().ToUnixTimeSeconds() / (long)FilesOptions.QuotaPeriod.TotalSeconds;
            if (hour != _hour)
            {
                _hour = hour;
                _sent.Clear();
            }

            var sum = _sent.GetValueOrDefault(userId) + bytes;
            if (options.QuotaBytes > 0 && sum > options.QuotaBytes)
            {
                return new((long?)null);
            }

            _sent[userId] = sum;
            return new(hour);
        }
    }

    public ValueTask GiveBackAsync(long userId, long hour, long bytes)
    {
        lock (_gate)
        {
            if (hour == _hour)
            {
                _sent[userId] = Math.Max(0, _sent.GetValueOrDefault(userId) - bytes);
            }
        }

        return ValueTask.CompletedTask;
    }
}
