using ChatServer.Redis;

namespace ChatServer.Sessions;

/// <summary>Where Quantum records sessions: Redis, or this process's memory.</summary>
internal interface ISessionStore
{
    /// <returns>Null if there is no such session, be it unknown, deleted or expired: the three take the same path.</returns>
    /// <exception cref="RedisUnavailableException">Sessions can't be looked up now.</exception>
    ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation);

    /// <summary>Looks many sessions up at once, for their life alone.</summary>
    /// <returns>In the order of the keys.</returns>
    /// <exception cref="RedisUnavailableException">Sessions can't be looked up now.</exception>
    ValueTask<IReadOnlyList<SessionLife>> LookAsync(IReadOnlyList<SessionKey> keys);

    /// <summary>Remembers that a user was seen with a session, so that <see cref="SeenAsync"/> finds it on any node.</summary>
    /// <param name="timeToLive">How much longer the session lives; null if it has no end.</param>
    /// <exception cref="RedisUnavailableException">It is not remembered, as far as is known.</exception>
    ValueTask RememberAsync(SessionKey key, TimeSpan? timeToLive);

    /// <summary>The newest sessions with which a user was seen, <see cref="SessionOptions.SessionsRemembered"/> at most.</summary>
    /// <returns>The one seen last first; some may have ended.</returns>
    /// <exception cref="RedisUnavailableException">Sessions can't be looked up now.</exception>
    ValueTask<IReadOnlyList<SessionKey>> SeenAsync(long userId);

    /// <summary>Keeps a user's REST token, encoded, in place of the one kept before.</summary>
    /// <param name="isOld">It gives way to one that is there.</param>
    /// <exception cref="RedisUnavailableException">It is not kept, as far as is known.</exception>
    ValueTask KeepTokenAsync(long userId, ReadOnlyMemory<byte> token, TimeSpan timeToLive, bool isOld = false);

    /// <returns>The token as it was kept; null if there is none.</returns>
    /// <exception cref="RedisUnavailableException">It can't be looked up now.</exception>
    ValueTask<ReadOnlyMemory<byte>?> FindTokenAsync(long userId);

    /// <summary>A user's messages wait for a token: asks every node on which the user is connected to remember the session.</summary>
    /// <exception cref="RedisUnavailableException">Nobody was asked, as far as is known.</exception>
    ValueTask AskForTokenAsync(long userId);

    /// <summary>Calls back with the users whose tokens are asked for.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    ValueTask<IAsyncDisposable> ListenForTokensAsync(Action<long> asked);

    /// <summary>Whether it may announce the end of single sessions, now or later; if not, a watch brings nothing.</summary>
    bool TellsOfEnds { get; }

    /// <summary>Whether it announces them now: one that came before the watch began was missed.</summary>
    bool IsTellingOfEnds { get; }

    /// <summary>Calls back when something happens to a session that may have ended it, if the store announces that.</summary>
    /// <exception cref="RedisUnavailableException">The watch is not in force.</exception>
    ValueTask<IAsyncDisposable> WatchAsync(SessionKey key, Action touched);
}

/// <summary>A session as it is stored.</summary>
/// <param name="Value">The record, still encoded as SESSION_ENCRYPTION says.</param>
/// <param name="TimeToLive">How much longer it lives; null if it has no end.</param>
internal readonly record struct StoredSession(ReadOnlyMemory<byte> Value, TimeSpan? TimeToLive);

/// <summary>Whether a session lives.</summary>
/// <param name="IsAlive">False if it was deleted or has expired.</param>
/// <param name="Left">How much longer it lives; null if it has no end.</param>
internal readonly record struct SessionLife(bool IsAlive, TimeSpan? Left);
