using System.Text;
using ChatServer.Embedded;
using ChatServer.Redis;
using ChatServer.Sessions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Sessions;

public sealed class AuthenticatorTests
{
    private const string Record = """{"token_key":"t0k3n","user":{"id":7},"company":{"id":3},"room_ids":[12]}""";

    private static readonly SessionKey Key = new("s3ss10n", 3, 7);
    private static readonly byte[] Token = Encoding.ASCII.GetBytes(Convert.ToBase64String(Encoding.ASCII.GetBytes("s3ss10n_3_7")));
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly CountingStore _store;
    private readonly Lines _log = new();

    public AuthenticatorTests() => _store = new CountingStore(new MemorySessionStore(_time));

    [Fact]
    public async Task AuthenticateAsync_KnownSession_GivesTheCaller()
    {
        _store.Sessions.Put(Key, Encoding.UTF8.GetBytes(Record), TimeSpan.FromSeconds(90));

        var caller = await AuthenticateAsync(Token);

        caller.Should().BeEquivalentTo(new Caller(7, 3, "t0k3n", [12], Key, _time.GetUtcNow().AddSeconds(90)));
        caller!.ToString().Should().Be("user 7 of company 3");
        _log.Should().BeEmpty();
    }

    [Fact]
    public async Task AuthenticateAsync_OlderTokenForm_GivesTheSameCaller()
    {
        _store.Sessions.Put(Key, Encoding.UTF8.GetBytes(Record), TimeSpan.FromSeconds(90));

        (await AuthenticateAsync("s3ss10n_M183"u8.ToArray()))!.UserId.Should().Be(7);
        (await AuthenticateAsync("s3ss10n_M185"u8.ToArray())).Should().BeNull("user 9 has another key");
    }

    [Fact]
    public async Task AuthenticateAsync_MalformedToken_IsRefusedWithoutALookUp()
    {
        (await AuthenticateAsync("s3ss10n_3_7"u8.ToArray())).Should().BeNull();

        _store.LookUps.Should().Be(0);
        _log.Should().Equal("Information: A token was refused: MalformedToken.");
    }

    [Fact]
    public async Task AuthenticateAsync_UnknownExpiredOrLoggedOut_TakeOnePath()
    {
        (await AuthenticateAsync(Token)).Should().BeNull();

        _store.Sessions.Put(Key, Encoding.UTF8.GetBytes(Record), TimeSpan.FromSeconds(90));
        _time.Advance(TimeSpan.FromSeconds(90));
        (await AuthenticateAsync(Token)).Should().BeNull();

        _store.Sessions.Put(Key, Encoding.UTF8.GetBytes(Record), TimeSpan.FromSeconds(90));
        _store.Sessions.Remove(Key);
        (await AuthenticateAsync(Token)).Should().BeNull();

        _store.LookUps.Should().Be(3);
        _log.Should().Equal(Enumerable.Repeat("Information: A token was refused: UnknownSession.", 3));
    }

    [Fact]
    public async Task AuthenticateAsync_RecordOfSomebodyElse_IsRefusedAndTheLogTellsNoSecret()
    {
        _store.Sessions.Put(Key, Encoding.UTF8.GetBytes(Record.Replace("7", "8", StringComparison.Ordinal)), TimeSpan.FromSeconds(90));

        (await AuthenticateAsync(Token)).Should().BeNull();

        _log.Should().Equal(
            "Warning: The session record of user 7, company 3 cannot be used: WrongIdentity. "
            + "Check what Quantum writes, SESSION_ENCRYPTION and FERNET_KEYS.");
    }

    [Fact]
    public async Task AuthenticateAsync_StoreOutOfReach_IsNeitherYesNorNo()
    {
        _store.Failure = new RedisUnavailableException("The store is out of reach.");

        await FluentActions.Awaiting(() => AuthenticateAsync(Token)).Should().ThrowAsync<RedisUnavailableException>();
    }

    private Task<Caller?> AuthenticateAsync(byte[] token) =>
        new Authenticator(_store, new SessionRecordReader(new SessionOptions(), _time), _time, _log)
            .AuthenticateAsync(token, CancellationToken.None).AsTask().WaitAsync(Patience);

    private sealed class CountingStore(MemorySessionStore sessions) : ISessionStore
    {
        public bool TellsOfEnds => sessions.TellsOfEnds;

        public bool IsTellingOfEnds => sessions.IsTellingOfEnds;

        public MemorySessionStore Sessions => sessions;

        public Exception? Failure { get; set; }

        public int LookUps { get; private set; }

        public ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation)
        {
            LookUps++;
            return Failure is null ? sessions.FindAsync(key, cancellation) : throw Failure;
        }

        public ValueTask<IReadOnlyList<SessionLife>> LookAsync(IReadOnlyList<SessionKey> keys) => sessions.LookAsync(keys);

        public ValueTask RememberAsync(SessionKey key, TimeSpan? timeToLive) => sessions.RememberAsync(key, timeToLive);

        public ValueTask<IReadOnlyList<SessionKey>> SeenAsync(long userId) => sessions.SeenAsync(userId);

        public ValueTask KeepTokenAsync(long userId, ReadOnlyMemory<byte> token, TimeSpan timeToLive, bool isOld = false) =>
            sessions.KeepTokenAsync(userId, token, timeToLive, isOld);

        public ValueTask<ReadOnlyMemory<byte>?> FindTokenAsync(long userId) => sessions.FindTokenAsync(userId);

        public ValueTask AskForTokenAsync(long userId) => sessions.AskForTokenAsync(userId);

        public ValueTask<IAsyncDisposable> ListenForTokensAsync(Action<long> asked) => sessions.ListenForTokensAsync(asked);

        public ValueTask<IAsyncDisposable> WatchAsync(SessionKey key, Action touched) => sessions.WatchAsync(key, touched);
    }

    private sealed class Lines : List<string>, ILogger<Authenticator>
    {
        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(
            LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            Add($"{logLevel}: {formatter(state, exception)}");
    }
}
