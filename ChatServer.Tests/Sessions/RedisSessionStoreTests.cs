using System.Net;
using ChatServer.Redis;
using ChatServer.Sessions;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace ChatServer.Tests.Sessions;

public sealed class RedisSessionStoreTests(RedisServer server) : IClassFixture<RedisServer>
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly byte[] Record = [.. "{\"x\":"u8, 0, 0xFF, (byte)'}'];

    [Fact]
    public async Task FindAsync_Stored_GivesValueAndTimeLeft()
    {
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().StringSetAsync("abc_3_7", Record, TimeSpan.FromSeconds(100)).WaitAsync(Patience);

        var found = await FindAsync(redis, new SessionKey("abc", 3, 7));

        found!.Value.Value.ToArray().Should().Equal(Record);
        found.Value.TimeToLive.Should().BeGreaterThan(TimeSpan.FromSeconds(90)).And.BeLessThanOrEqualTo(TimeSpan.FromSeconds(100));
    }

    [Theory]
    [InlineData(null)]
    [InlineData(9_000_000_000_000_000_000 / 1000 - 4_000_000_000)]
    public async Task FindAsync_WithoutAnEndInSight_HasNoTimeToLive(long? seconds)
    {
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().StringSetAsync("endless_3_7", Record).WaitAsync(Patience);
        if (seconds is not null)
        {
            await redis.GetDatabase().ExecuteAsync("EXPIRE", "endless_3_7", seconds).WaitAsync(Patience);
        }

        var found = await FindAsync(redis, new SessionKey("endless", 3, 7));

        found!.Value.TimeToLive.Should().BeNull();
    }

    [Fact]
    public async Task FindAsync_UnknownDeletedOrExpired_IsNull()
    {
        await using var redis = await server.ConnectAsync();
        var database = redis.GetDatabase();
        (await FindAsync(redis, new SessionKey("never", 3, 7))).Should().BeNull();

        await database.StringSetAsync("gone_3_7", Record).WaitAsync(Patience);
        await database.KeyDeleteAsync("gone_3_7").WaitAsync(Patience);
        (await FindAsync(redis, new SessionKey("gone", 3, 7))).Should().BeNull();

        await database.StringSetAsync("short_3_7", Record, TimeSpan.FromMilliseconds(1)).WaitAsync(Patience);
        await Task.Delay(20);
        (await FindAsync(redis, new SessionKey("short", 3, 7))).Should().BeNull();
    }

    [Fact]
    public async Task FindAsync_KeyOfAnotherType_IsNull()
    {
        await using var redis = await server.ConnectAsync();
        await redis.GetDatabase().HashSetAsync("hash_3_7", "a", "b").WaitAsync(Patience);

        (await FindAsync(redis, new SessionKey("hash", 3, 7))).Should().BeNull();
    }

    [Fact]
    public async Task FindAsync_Cancelled_IsCancelled()
    {
        await using var redis = await server.ConnectAsync();
        using var cancelled = new CancellationTokenSource();
        await cancelled.CancelAsync();

        await FluentActions.Awaiting(() => new RedisSessionStore(redis).FindAsync(new SessionKey("abc", 3, 7), cancelled.Token).AsTask())
            .Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task FindAsync_RedisAwayAndBackAgain_IsUnavailableInBetween()
    {
        await using var own = await RedisServer.StartAsync("--appendonly", "yes", "--appendfsync", "always").WaitAsync(Patience);
        await using var redis = await own.ConnectAsync("connectTimeout=500,asyncTimeout=500,syncTimeout=500");
        await redis.GetDatabase().StringSetAsync("abc_3_7", Record).WaitAsync(Patience);
        await own.StopAsync().WaitAsync(Patience);

        await FluentActions.Awaiting(() => FindAsync(redis, new SessionKey("abc", 3, 7))).Should().ThrowAsync<RedisUnavailableException>();

        await own.StartAgainAsync().WaitAsync(Patience);
        (await EventuallyFindAsync(redis, new SessionKey("abc", 3, 7)))!.Value.Value.ToArray().Should().Equal(Record);
    }

    [Fact]
    public async Task FindAsync_RedisThatHangs_IsUnavailable()
    {
        await using var own = await RedisServer.StartAsync().WaitAsync(Patience);
        await using var redis = await own.ConnectAsync("asyncTimeout=300");
        await redis.GetDatabase().PingAsync().WaitAsync(Patience);
        await redis.GetServers()[0].ExecuteAsync("CLIENT", "PAUSE", "3000", "ALL").WaitAsync(Patience);

        await FluentActions.Awaiting(() => FindAsync(redis, new SessionKey("abc", 3, 7))).Should().ThrowAsync<RedisUnavailableException>();
    }

    /// <summary>The library's own timeout is noticed late: somebody waits to be let in.</summary>
    [Fact]
    public async Task FindAndLook_RedisThatHangs_AreUnavailableInTime()
    {
        await using var own = await RedisServer.StartAsync().WaitAsync(Patience);
        await using var redis = await own.ConnectAsync("asyncTimeout=20000");
        await redis.GetDatabase().PingAsync().WaitAsync(Patience);
        await redis.GetServers()[0].ExecuteAsync("CLIENT", "PAUSE", "8000", "ALL").WaitAsync(Patience);
        var (store, key) = (new RedisSessionStore(redis), new SessionKey("abc", 3, 7));
        var enough = RedisOptions.AnswerWithin + TimeSpan.FromSeconds(2);

        await store.Awaiting(asked => asked.FindAsync(key, CancellationToken.None).AsTask().WaitAsync(enough))
            .Should().ThrowAsync<RedisUnavailableException>();
        await store.Awaiting(asked => asked.LookAsync([key]).AsTask().WaitAsync(enough)).Should().ThrowAsync<RedisUnavailableException>();
    }

    [Fact]
    public async Task FindAsync_RedisThatRefusesTheCommand_IsUnavailable()
    {
        await using var own = await RedisServer.StartAsync().WaitAsync(Patience);
        await using var redis = await own.ConnectAsync();
        await redis.GetDatabase().ExecuteAsync("ACL", "SETUSER", "default", "-pttl").WaitAsync(Patience);

        (await FluentActions.Awaiting(() => FindAsync(redis, new SessionKey("abc", 3, 7))).Should().ThrowAsync<RedisUnavailableException>())
            .WithInnerException<RedisServerException>().WithMessage("NOPERM*");
    }

    [Fact]
    public async Task FindAsync_AfterDisposal_IsUnavailable()
    {
        var redis = await server.ConnectAsync();
        await redis.DisposeAsync();

        await FluentActions.Awaiting(() => FindAsync(redis, new SessionKey("abc", 3, 7))).Should().ThrowAsync<RedisUnavailableException>();
    }

    private static Task<StoredSession?> FindAsync(ConnectionMultiplexer redis, SessionKey key) =>
        new RedisSessionStore(redis).FindAsync(key, CancellationToken.None).AsTask().WaitAsync(Patience);

    [Fact]
    public async Task FindAsync_RedisStallsOrIsCut_TheErrorDoesNotShowTheSessionKey()
    {
        await using var proxy = new TcpProxy(server.Port, isRedis: true);
        var options = new RedisOptions(
            [new DnsEndPoint(RedisServer.Host, proxy.Port)], null, null, 0, false, RedisOptions.DefaultPartitions, false);
        await using var connection = RedisConnection.Open(options, NullLogger<RedisConnection>.Instance);
        var store = new RedisSessionStore(connection.Multiplexer);
        var key = new SessionKey("geheim", 3, 7);

        proxy.Stall();
        var errors = new List<RedisUnavailableException> { await FailAsync(store, key) };
        proxy.Refuses = true;
        var underWay = FailAsync(store, key);
        await Task.Delay(100);
        proxy.Cut();
        errors.Add(await underWay);
        errors.Add(await FailAsync(store, key));

        errors.Should().OnlyContain(error => !error.ToString().Contains("geheim", StringComparison.Ordinal));
    }

    private static async Task<RedisUnavailableException> FailAsync(RedisSessionStore store, SessionKey key) =>
        (await FluentActions.Awaiting(() => store.FindAsync(key, CancellationToken.None).AsTask().WaitAsync(Patience))
            .Should().ThrowAsync<RedisUnavailableException>()).Which;

    private static async Task<StoredSession?> EventuallyFindAsync(ConnectionMultiplexer redis, SessionKey key)
    {
        for (var attempt = 0; ; attempt++)
        {
            try
            {
                return await FindAsync(redis, key);
            }
            catch (RedisUnavailableException) when (attempt < 100)
            {
                await Task.Delay(100);
            }
        }
    }
}
