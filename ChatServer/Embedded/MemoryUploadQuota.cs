using ChatServer.Files;

namespace ChatServer.Embedded;

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
            var hour = time.GetUtcNow().ToUnixTimeSeconds() / (long)FilesOptions.QuotaPeriod.TotalSeconds;
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
