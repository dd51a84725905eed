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
    public async Task Find_SeveralSessions_GivesTheTokensOfThoseThatLiveTheOneSeenLastFirst()
    {
        await using var redis = await server.ConnectAsync();
        var (store, tokens) = Parts(redis);
        foreach (var (session, token) in new[] { ("a", "t1"), ("b", "t2"), ("c", "t3"), ("d", "t1") })
        {
            await SeeAsync(redis, store, session, token);
        }

        await redis.GetDatabase().KeyDeleteAsync(new SessionKey("c", 3, _user).ToString());

        (await tokens.FindAsync(_user, CancellationToken.None)).Should().Equal("t1", "t2");
        (await tokens.FindAsync(_user + 100_000, CancellationToken.None)).Should().BeEmpty();
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

    private static (RedisSessionStore Store, UserTokens Tokens) Parts(ConnectionMultiplexer redis)
    {
        var store = new RedisSessionStore(redis);
        var options = new SessionOptions { Encryption = SessionEncryption.Base64 };
        return (store, new(store, new SessionRecordReader(options, TimeProvider.System)));
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
