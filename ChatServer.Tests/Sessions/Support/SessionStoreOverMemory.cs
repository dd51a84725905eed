using System.Collections.Concurrent;
using ChatServer.Embedded;
using ChatServer.Redis.Subscriptions;
using ChatServer.Sessions;

namespace ChatServer.Tests.Sessions.Support;

/// <summary>The real store in memory, which a test may find out of reach, or silent about the ends of sessions.</summary>
internal sealed class SessionStoreOverMemory(MemorySessionStore sessions) : ISessionStore
{
    private int _watches;

    public bool TellsOfEnds { get; set; } = true;

    public bool IsTellingOfEnds => TellsOfEnds && !IsSilent;

    /// <summary>It may announce ends, and does not yet.</summary>
    public bool IsSilent { get; set; }

    public MemorySessionStore Sessions => sessions;

    /// <summary>Thrown at each question.</summary>
    public Exception? Failure { get; set; }

    /// <summary>How often a session's record was asked for.</summary>
    public int Finds { get; private set; }

    /// <summary>The sessions that were looked up for their life alone, call by call.</summary>
    public ConcurrentQueue<IReadOnlyList<SessionKey>> Looks { get; } = new();

    /// <summary>How many sessions are watched now.</summary>
    public int Watches => Volatile.Read(ref _watches);

    public ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation)
    {
        Finds++;
        return Failure is null ? sessions.FindAsync(key, cancellation) : throw Failure;
    }

    public ValueTask<IReadOnlyList<SessionLife>> LookAsync(IReadOnlyList<SessionKey> keys)
    {
        Looks.Enqueue([.. keys]);
        return Failure is null ? sessions.LookAsync(keys) : throw Failure;
    }

    public ValueTask RememberAsync(SessionKey key, TimeSpan? timeToLive) =>
        Failure is null ? sessions.RememberAsync(key, timeToLive) : throw Failure;

    public ValueTask<IReadOnlyList<SessionKey>> SeenAsync(long userId) =>
        Failure is null ? sessions.SeenAsync(userId) : throw Failure;

    public ValueTask KeepTokenAsync(long userId, ReadOnlyMemory<byte> token, TimeSpan timeToLive, bool isOld = false) =>
        Failure is null ? sessions.KeepTokenAsync(userId, token, timeToLive, isOld) : throw Failure;

    public ValueTask<ReadOnlyMemory<byte>?> FindTokenAsync(long userId) =>
        Failure is null ? sessions.FindTokenAsync(userId) : throw Failure;

    public ValueTask AskForTokenAsync(long userId) => Failure is null ? sessions.AskForTokenAsync(userId) : throw Failure;

    public ValueTask<IAsyncDisposable> ListenForTokensAsync(Action<long> asked) =>
        Failure is null ? sessions.ListenForTokensAsync(asked) : throw Failure;

    public async ValueTask<IAsyncDisposable> WatchAsync(SessionKey key, Action touched)
    {
        if (Failure is not null)
        {
            throw Failure;
        }

        var watch = await sessions.WatchAsync(key, touched);
        Interlocked.Increment(ref _watches);
        return new Subscription(async () =>
        {
            Interlocked.Decrement(ref _watches);
            await watch.DisposeAsync();
        });
    }
}
