using ChatServer.Outbox;
using ChatServer.Redis;

namespace ChatServer.Operations;

/// <summary>
/// How much waits to be saved, for all who ask this node: over Redis it is a question for each partition, so it is asked once a second at
/// most, whoever polls.
/// </summary>
internal sealed class BacklogGauge(IOutbox outbox, TimeProvider time)
{
    /// <summary>How old an answer may be.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    private readonly Lock _gate = new();
    private Task<OutboxSize>? _asked;
    private long _askedAt;

    /// <exception cref="RedisUnavailableException">Redis is out of reach, or was when it was asked last, less than a second ago.</exception>
    public Task<OutboxSize> ReadAsync()
    {
        lock (_gate)
        {
            if (_asked is null || (_asked.IsCompleted && time.GetElapsedTime(_askedAt) >= Fresh))
            {
                (_asked, _askedAt) = (outbox.SizeAsync().AsTask(), time.GetTimestamp());
            }

            return _asked;
        }
    }
}
