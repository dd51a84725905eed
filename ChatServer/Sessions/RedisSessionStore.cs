using System.Globalization;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using StackExchange.Redis;

namespace ChatServer.Sessions;

/// <summary>Sessions as Quantum writes them to Redis: one string key each, with a time to live.</summary>
/// <param name="events">Tells what happens to single keys; null: nobody does.</param>
/// <param name="time">Tells which session was seen last.</param>
/// <param name="subscriptions">Brings what other nodes ask for; null: they can't be heard.</param>
internal sealed class RedisSessionStore(
    IConnectionMultiplexer redis, KeyspaceEvents? events = null, TimeProvider? time = null, RedisSubscriptions? subscriptions = null)
    : ISessionStore
{
    private static readonly string RememberScript = EmbeddedScript.Load("remember-session.lua");

    /// <summary>What PTTL answers for a key that is gone, and for one without an end.</summary>
    private const long Gone = -2;
    private const long Endless = -1;

    /// <summary>PTTL reaches further than .NET's calendar: what lives longer than a century has no end for us.</summary>
    private const long Century = 100L * 366 * 24 * 60 * 60 * 1000;

    public bool TellsOfEnds => events is not null;

    public bool IsTellingOfEnds => events is { AreOn: true };

    private string TokenWanted => RedisKeys.TokenWanted(redis.GetDatabase().Database);

    public async ValueTask<StoredSession?> FindAsync(SessionKey key, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        RedisKey name = key.ToString();
        RedisValue value;
        long milliseconds;
        try
        {
            // Sent together, in one round trip. PTTL as a raw command: the library's own method doesn't distinguish gone from endless.
            var database = redis.GetDatabase();
            var get = database.StringGetAsync(name);
            var timeToLive = database.ExecuteAsync("PTTL", name);
            await Task.WhenAll(get, timeToLive).WaitAsync(RedisOptions.AnswerWithin, cancellation);
            value = await get;
            milliseconds = (long)await timeToLive;
        }
        catch (RedisServerException e) when (e.Message.StartsWith("WRONGTYPE", StringComparison.Ordinal))
        {
            // A list or hash of another program under this name is no session.
            return null;
        }
        catch (Exception e) when (RedisFaults.IsUnavailable(e) && !cancellation.IsCancellationRequested)
        {
            // Also what a living server says when it cannot answer now: LOADING, MASTERDOWN, CLUSTERDOWN, NOAUTH.
            throw new RedisUnavailableException($"Sessions cannot be looked up: {e.Message}", e);
        }

        // The key can expire between the two commands.
        if (value.IsNull || milliseconds == Gone)
        {
            return null;
        }

        return new StoredSession(value, Left(milliseconds));
    }

    public async ValueTask<IReadOnlyList<SessionLife>> LookAsync(IReadOnlyList<SessionKey> keys)
    {
        try
        {
            var database = redis.GetDatabase();
            var answers = await Task.WhenAll(keys.Select(key => database.ExecuteAsync("PTTL", (RedisKey)key.ToString())))
                .WaitAsync(RedisOptions.AnswerWithin);
            return [.. answers.Select(
                answer => (long)answer is var milliseconds && milliseconds != Gone ? new SessionLife(true, Left(milliseconds)) : default)];
        }
        catch (Exception e) when (RedisFaults.IsUnavailable(e))
        {
            throw new RedisUnavailableException($"Sessions cannot be looked up: {e.Message}", e);
        }
    }

    public async ValueTask RememberAsync(SessionKey key, TimeSpan? timeToLive) =>
        await RedisCalls.TryAsync(() => redis.GetDatabase().ScriptEvaluateAsync(
            RememberScript,
            [RedisKeys.SessionsOf(key.UserId)],
            [
                key.ToString(), (time ?? TimeProvider.System).GetUtcNow().ToUnixTimeMilliseconds(), SessionOptions.SessionsRemembered,
                (long)(timeToLive ?? SessionOptions.EndlessRemembered).TotalMilliseconds,
            ]));

    public async ValueTask<IReadOnlyList<SessionKey>> SeenAsync(long userId)
    {
        var names = await RedisCalls.TryAsync(
            () => redis.GetDatabase().SortedSetRangeByRankAsync(RedisKeys.SessionsOf(userId), order: Order.Descending));
        return [.. names.Select(name => SessionKey.TryParse(name.ToString(), out var key) ? key : null).OfType<SessionKey>()];
    }

    public async ValueTask KeepTokenAsync(long userId, ReadOnlyMemory<byte> token, TimeSpan timeToLive, bool isOld = false) =>
        await RedisCalls.TryAsync(() => redis.GetDatabase().StringSetAsync(
            RedisKeys.TokenOf(userId), token, timeToLive, isOld ? When.NotExists : When.Always));

    public async ValueTask<ReadOnlyMemory<byte>?> FindTokenAsync(long userId)
    {
        var token = await RedisCalls.TryAsync(() => redis.GetDatabase().StringGetAsync(RedisKeys.TokenOf(userId)));
        return token.IsNull ? default(ReadOnlyMemory<byte>?) : (ReadOnlyMemory<byte>)token;
    }

    public async ValueTask AskForTokenAsync(long userId) =>
        await RedisCalls.TryAsync(() => redis.GetDatabase().PublishAsync(RedisChannel.Literal(TokenWanted), userId));

    public async ValueTask<IAsyncDisposable> ListenForTokensAsync(Action<long> asked) =>
        subscriptions is null ? Subscription.None : await subscriptions.SubscribeAsync(TokenWanted, payload =>
        {
            if (long.TryParse(payload, NumberStyles.None, CultureInfo.InvariantCulture, out var user))
            {
                asked(user);
            }
        });

    public async ValueTask<IAsyncDisposable> WatchAsync(SessionKey key, Action touched) =>
        events is null ? Subscription.None : await events.WatchAsync(key.ToString(), touched);

    private static TimeSpan? Left(long milliseconds) =>
        milliseconds is Endless or > Century ? null : TimeSpan.FromMilliseconds(milliseconds);
}
