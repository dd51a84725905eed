using System.Collections.Concurrent;
using ChatServer.Redis.Subscriptions;
using ChatServer.Sessions;

namespace ChatServer.Embedded;

/// <summary>Sessions of the embedded default: one process, nothing survives a restart.</summary>
internal sealed class MemorySessionStore(TimeProvider time) : ISessionStore
{
    private readonly ConcurrentDictionary<SessionKey, Entry> _entries = new();
    private readonly ConcurrentDictionary<long, ReadOnlyMemory<byte>> _tokens = new();
    private Action<SessionKey>? _removed;

    public bool TellsOfEnds => true;

    public bool IsTellingOfEnds => true;

    public void Put(SessionKey key, ReadOnlyMemory<byte> value, TimeSpan timeToLive)
    {
        var now = time.GetUtcNow();
        foreach (var entry in _entries.Where(entry => entry.Value.ExpiresAt <= now))
        {
            // With the value, so that an entry that was renewed in between stays.
            _entries.TryRemove(entry);
        }

        _entries[key] = new Entry(value, now + timeToLive, now);
    }

    public bool Remove(SessionKey key)
    {
        var wasAlive = _entries.TryRemove(key, out var entry) && entry.ExpiresAt > time.GetUtcNow();
        _removed?.Invoke(key);
        return wasAlive;
    }

    public ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        var now = time.GetUtcNow();
        return ValueTask.FromResult<StoredSession?>(
            _entries.TryGetValue(key, out var entry) && entry.ExpiresAt > now
                ? new StoredSession(entry.Value, entry.ExpiresAt - now)
                : null);
    }

    public ValueTask<IReadOnlyList<SessionLife>> LookAsync(IReadOnlyList<SessionKey> keys)
    {
        var now = time.GetUtcNow();
        return new([.. keys.Select(key => _entries.TryGetValue(key, out var entry) && entry.ExpiresAt > now
            ? new SessionLife(true, entry.ExpiresAt - now)
            : default)]);
    }

    /// <summary>All that live are known here anyway.</summary>
    public ValueTask RememberAsync(SessionKey key, TimeSpan? timeToLive) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<SessionKey>> SeenAsync(long userId) =>
        new([.. _entries.Where(entry => entry.Key.UserId == userId).OrderByDescending(entry => entry.Value.PutAt)
            .Take(SessionOptions.SessionsRemembered).Select(entry => entry.Key)]);

    /// <summary>One per user of the demo, which has few: none of them expires.</summary>
    public ValueTask KeepTokenAsync(long userId, ReadOnlyMemory<byte> token, TimeSpan timeToLive, bool isOld = false)
    {
        _tokens.AddOrUpdate(userId, token, (_, kept) => isOld ? kept : token);
        return ValueTask.CompletedTask;
    }

    public ValueTask<ReadOnlyMemory<byte>?> FindTokenAsync(long userId) =>
        new(_tokens.TryGetValue(userId, out var token) ? token : default(ReadOnlyMemory<byte>?));

    /// <summary>There is no other node, and all sessions are known here.</summary>
    public ValueTask AskForTokenAsync(long userId) => ValueTask.CompletedTask;

    public ValueTask<IAsyncDisposable> ListenForTokensAsync(Action<long> asked) => new(Subscription.None);

    public ValueTask<IAsyncDisposable> WatchAsync(SessionKey key, Action touched)
    {
        void OnRemoved(SessionKey removed)
        {
            if (removed == key)
            {
                touched();
            }
        }

        _removed += OnRemoved;
        return new(new Subscription(() => _removed -= OnRemoved));
    }

    private sealed record Entry(ReadOnlyMemory<byte> Value, DateTimeOffset ExpiresAt, DateTimeOffset PutAt);
}
