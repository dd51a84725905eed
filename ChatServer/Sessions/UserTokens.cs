using System.Collections.Concurrent;
using System.Text;
using ChatServer.Redis;

namespace ChatServer.Sessions;

/// <summary>
/// The REST tokens of users whose messages wait for Quantum, for whichever node saves them. Who writes is remembered: the name of the
/// session, and one copy of its token for each user, stored as sessions are. It outlives the session by
/// <see cref="SessionOptions.TokenOutlivesSession"/>, for what was written before its end.
/// </summary>
internal sealed class UserTokens(ISessionStore store, SessionRecordReader records, SessionOptions options, TimeProvider time)
{
    private readonly SessionEncoding _encoding = new(options, time);
    private readonly ConcurrentDictionary<long, Cached> _cached = new();

    /// <summary>The user writes: from now on the token is found on any node. Nothing is done if no token will be asked for.</summary>
    /// <exception cref="RedisUnavailableException">It is not remembered, as far as is known.</exception>
    public async ValueTask RememberAsync(Caller caller)
    {
        if (!options.KeepsTokens)
        {
            return;
        }

        Cache(caller.UserId, caller.TokenKey);
        var timeToLive = caller.ExpiresAt - time.GetUtcNow();
        await Task.WhenAll(
            store.RememberAsync(caller.Session, timeToLive).AsTask(),
            store.KeepTokenAsync(
                caller.UserId, Encode(caller.TokenKey),
                (timeToLive ?? SessionOptions.EndlessRemembered) + SessionOptions.TokenOutlivesSession).AsTask());
    }

    /// <summary>Keeps a token that came with a message of the user's, unless there is a newer one.</summary>
    /// <exception cref="RedisUnavailableException">It is not kept, as far as is known.</exception>
    public ValueTask KeepOldAsync(long userId, string token) =>
        options.KeepsTokens
            ? store.KeepTokenAsync(userId, Encode(token), SessionOptions.TokenOutlivesSession, isOld: true)
            : ValueTask.CompletedTask;

    /// <summary>The token with which the user wrote last, as far as is known here.</summary>
    /// <returns>Null if there is none.</returns>
    /// <exception cref="RedisUnavailableException">It can't be looked up now.</exception>
    public async ValueTask<string?> NewestAsync(long userId)
    {
        if (_cached.TryGetValue(userId, out var cached) && time.GetElapsedTime(cached.At) < SessionOptions.TokenCachedFor)
        {
            return cached.Token;
        }

        if (await store.FindTokenAsync(userId) is not { } kept || !_encoding.TryDecode(kept, out var bytes, out _))
        {
            return null;
        }

        var token = Encoding.ASCII.GetString(bytes.Span);
        Cache(userId, token);
        return token;
    }

    /// <summary>
    /// Asks the nodes on which a user is connected to remember that session; a moment later <see cref="LiveAsync"/> finds it.
    /// </summary>
    /// <exception cref="RedisUnavailableException">Nobody was asked, as far as is known.</exception>
    public ValueTask AskAsync(long userId) => store.AskForTokenAsync(userId);

    /// <summary>The tokens of those of the user's sessions that still live.</summary>
    /// <returns>Each once, the one seen last first.</returns>
    /// <exception cref="RedisUnavailableException">Sessions can't be looked up now.</exception>
    public async ValueTask<IReadOnlyList<string>> LiveAsync(long userId, CancellationToken cancellation)
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("tokens"))
        {
            return [];
        }

#endif
        var tokens = new List<string>();
        foreach (var session in await store.SeenAsync(userId))
        {
            if (await store.FindAsync(session, cancellation) is { } stored
                && records.TryRead(stored.Value, session, out var record, out _)
                && !tokens.Contains(record.TokenKey))
            {
                tokens.Add(record.TokenKey);
            }
        }

        return tokens;
    }

    private ReadOnlyMemory<byte> Encode(string token) => _encoding.Encode(Encoding.ASCII.GetBytes(token));

    private void Cache(long userId, string token)
    {
        if (_cached.Count >= SessionOptions.MaxTokensCached)
        {
            _cached.Clear();
        }

        _cached[userId] = new(token, time.GetTimestamp());
    }

    private sealed record Cached(string Token, long At);
}
