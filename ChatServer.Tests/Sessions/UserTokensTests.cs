using System.Text;
using ChatServer.Redis;
using ChatServer.Sessions;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Sessions;

public sealed class UserTokensTests(RedisServer server) : IClassFixture<RedisServer>
{
    private static int _users = 700;

    private readonly long _user = Interlocked.Increment(ref _users);

    [Fact]
    public async Task Live_SeveralSessions_GivesTheTokensOfThoseThatLiveTheOneSeenLastFirst()
    {
        await using var redis = await server.ConnectAsync();
        var (store, tokens) = Parts(redis);
        foreach (var (session, token) in new[] { ("a", "t1"), ("b", "t2"), ("c", "t3"), ("d", "t1") })
        {
            await SeeAsync(redis, store, session, token);
        }

        await redis.GetDatabase().KeyDeleteAsync(new SessionKey("c", 3, _user).ToString());

        (await tokens.LiveAsync(_user, CancellationToken.None)).Should().Equal("t1", "t2");
        (await tokens.LiveAsync(_user + 100_000, CancellationToken.None)).Should().BeEmpty();
    }

    [Fact]
    public async Task Remember_ManySessions_KeepsTheNewestAndLivesAsLongAsTheLongest()
    {
        await using var redis = await server.ConnectAsync();
        var (store, _) = Parts(redis);
        await store.RememberAsync(new("long", 3, _user), TimeSpan.FromHours(5));
        for (var number = 1; number <= SessionOptions.SessionsRemembered + 5; number++)
        {
            await store.RememberAsync(new($"s{number:D2}", 3, _user), TimeSpan.FromHours(1));
            await Task.Delay(2);
        }

        var seen = await store.SeenAsync(_user);

        seen.Should().HaveCount(SessionOptions.SessionsRemembered);
        seen[0].Session.Should().Be($"s{SessionOptions.SessionsRemembered + 5:D2}");
        (await redis.GetDatabase().KeyTimeToLiveAsync(RedisKeys.SessionsOf(_user)))!.Value.Should()
            .BeCloseTo(TimeSpan.FromHours(5), TimeSpan.FromMinutes(1));
    }

    [Theory]
    [InlineData("None")]
    [InlineData("Base64")]
    [InlineData("Fernet")]
    public async Task Newest_AfterTheSessionsEnd_IsTheTokenWithWhichTheUserWroteLastOnAnyNode(string encryption)
    {
        await using var redis = await server.ConnectAsync();
        var options = new SessionOptions
        {
            Encryption = Enum.Parse<SessionEncryption>(encryption), FernetKeys = [[.. Enumerable.Repeat((byte)7, Fernet.KeyLength)]],
        };
        var (here, there) = (Tokens(new(redis), options), Tokens(new(redis), options));
        (await there.NewestAsync(_user)).Should().BeNull();
        await here.RememberAsync(Caller("first"));
        await here.RememberAsync(Caller("second"));
        await here.KeepOldAsync(_user, "older");

        (await there.NewestAsync(_user)).Should().Be("second");
        (await here.NewestAsync(_user)).Should().Be("second");
        var stored = (string)(await redis.GetDatabase().StringGetAsync(RedisKeys.TokenOf(_user)))!;
        stored.Contains("second", StringComparison.Ordinal).Should().Be(encryption == "None", "it is stored as sessions are");
        (await redis.GetDatabase().KeyTimeToLiveAsync(RedisKeys.TokenOf(_user)))!.Value.Should()
            .BeCloseTo(SessionOptions.TokenOutlivesSession + TimeSpan.FromHours(1), TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task Remember_NoTokenWillBeAskedFor_WritesNothing()
    {
        await using var redis = await server.ConnectAsync();
        var tokens = Tokens(new(redis), new SessionOptions { KeepsTokens = false });

        await tokens.RememberAsync(Caller("t1"));
        await tokens.KeepOldAsync(_user, "t0");

        (await redis.GetDatabase().KeyExistsAsync(RedisKeys.TokenOf(_user))).Should().BeFalse();
        (await redis.GetDatabase().KeyExistsAsync(RedisKeys.SessionsOf(_user))).Should().BeFalse();
    }

    private Caller Caller(string token) =>
        new(_user, 3, token, null, new SessionKey("s", 3, _user), TimeProvider.System.GetUtcNow().AddHours(1));

    private static UserTokens Tokens(RedisSessionStore store, SessionOptions options) =>
        new(store, new SessionRecordReader(options, TimeProvider.System), options, TimeProvider.System);

    private static (RedisSessionStore Store, UserTokens Tokens) Parts(ConnectionMultiplexer redis)
    {
        var store = new RedisSessionStore(redis);
        var options = new SessionOptions { Encryption = SessionEncryption.Base64 };
        return (store, Tokens(store, options));
    }

    private async Task SeeAsync(ConnectionMultiplexer redis, RedisSessionStore store, string session, string token)
    {
        var key = new SessionKey(session, 3, _user);
        var record = $$$"""{"token_key":"{{{token}}}","user":{"id":{{{_user}}}},"company":{"id":3}}""";
        await redis.GetDatabase().StringSetAsync(
            key.ToString(), Convert.ToBase64String(Encoding.UTF8.GetBytes(record)), TimeSpan.FromHours(1));
        await store.RememberAsync(key, TimeSpan.FromHours(1));
        await Task.Delay(2);
    }
}
