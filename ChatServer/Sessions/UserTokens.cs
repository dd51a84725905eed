using ChatServer.Redis;

namespace ChatServer.Sessions;

/// <summary>
/// The REST tokens that a user has now: those of the sessions with which the user was seen on any node and that still live. Only the
/// sessions' names are kept for it, no copy of a token.
/// </summary>
internal sealed class UserTokens(ISessionStore store, SessionRecordReader records)
{
    /// <returns>Each once, the one seen last first.</returns>
    /// <exception cref="RedisUnavailableException">Sessions can't be looked up now.</exception>
    public async ValueTask<IReadOnlyList<string>> FindAsync(long userId, CancellationToken cancellation)
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
}
