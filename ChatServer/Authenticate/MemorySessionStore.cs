using System.Collections.Concurrent;

namespace ChatServer.Authenticate;

/// <summary>Sessions of the embedded default: one process, nothing survives a restart.</summary>
internal sealed class MemorySessionStore(TimeProvider time) : ISessionStore
{
    private readonly ConcurrentDictionary<SessionKey, Entry> _entries = new();

    public void Put(SessionKey key, ReadOnlyMemory<byte> value, TimeSpan timeToLive)
    {
        var now = time.GetUtcNow();
        foreach (var entry in _entries.Where(entry => entry.Value.ExpiresAt <= now))
        {
            // With the value, so that an entry that was renewed in between stays.
            _entries.TryRemove(entry);
        }

        _entries[key] = new Entry(value, now + timeToLive);
    }

    public bool Remove(SessionKey key) => _entries.TryRemove(key, out var entry) && entry.ExpiresAt > time.GetUtcNow();

    public ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var now = time.GetUtcNow();
        return ValueTask.FromResult<StoredSession?>(
            _entries.TryGetValue(key, out var entry) && entry.ExpiresAt > now
                ? new StoredSession(entry.Value, entry.ExpiresAt - now)
                : null);
    }

    private sealed record Entry(ReadOnlyMemory<byte> Value, DateTimeOffset ExpiresAt);
}
