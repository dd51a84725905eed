using System.Collections.Concurrent;
using System.Net;
using System.Text;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis.Subscriptions;

public sealed class SubscriberConnectionTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private const int Limit = 30_000;

    private readonly ConcurrentQueue<(string Channel, string Payload)> _heard = new();

    [Fact(Timeout = Limit)]
    public async Task WhatIsPublishedOnceSubscribed_ComesInOrderAndWhole()
    {
        using var connection = await ConnectAsync(redis);
        await using var other = await redis.ConnectAsync();
        await Task.WhenAll(Subscribe(connection, "a"), Subscribe(connection, "b"));
        var large = string.Concat(Enumerable.Range(0, 500_000).Select(number => $"{number}\r\n"));

        for (var number = 0; number < 1000; number++)
        {
            other.GetSubscriber()
                .Publish(
                    RedisChannel.Literal(number % 2 == 0 ? "a" : "b"), number == 500 ? large : $"{number}", CommandFlags.FireAndForget);
        }

        await Eventually.TrueAsync(() => _heard.Count == 1000, TimeSpan.FromSeconds(10), () => $"{_heard.Count} of 1000 came");
        _heard.Should()
            .Equal(Enumerable.Range(0, 1000).Select(number => (number % 2 == 0 ? "a" : "b", number == 500 ? large : $"{number}")));
    }

    [Fact(Timeout = Limit)]
    public async Task Unsubscribed_BringsNoMore_AndMaySubscribeAgain()
    {
        using var connection = await ConnectAsync(redis);
        await using var other = await redis.ConnectAsync();
        var channel = Guid.NewGuid().ToString("N");
        await Subscribe(connection, channel);
        connection.Unsubscribe(Encoding.UTF8.GetBytes(channel));
        await Subscribe(connection, "after");
        (await other.GetSubscriber().PublishAsync(RedisChannel.Literal(channel), "nobody")).Should().Be(0);

        // The confirmation that counts is that of the last request, not of one before the unsubscription.
        _ = Subscribe(connection, channel);
        connection.Unsubscribe(Encoding.UTF8.GetBytes(channel));
        await Subscribe(connection, channel);

        (await other.GetSubscriber().PublishAsync(RedisChannel.Literal(channel), "one")).Should().Be(1);
        await Eventually.TrueAsync(() => _heard.Contains((channel, "one")), TimeSpan.FromSeconds(5), () => "it did not come");
    }

    [Fact(Timeout = Limit)]
    public async Task ConnectionIsCut_WhoWaitsIsTold_AndItSaysSoOnce()
    {
        using var connection = await ConnectAsync(redis);
        await using var other = await redis.ConnectAsync();
        await Subscribe(connection, "a");
        var broken = 0;
        connection.WhenBroken(() => Interlocked.Increment(ref broken));
        await other.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub", "SKIPME", "yes");

        await Eventually.TrueAsync(
            () => connection.IsBroken && broken == 1, TimeSpan.FromSeconds(5), () => "it does not know that it is broken");
        await connection.Awaiting(one => Subscribe(one, "b")).Should().ThrowAsync<RedisUnavailableException>();
        connection.WhenBroken(() => Interlocked.Increment(ref broken));
        broken.Should().Be(2, "whoever comes late is told at once");
    }

    [Fact(Timeout = Limit)]
    public async Task RedisIsSilent_SubscribingFailsInTime()
    {
        await using var own = await RedisServer.StartAsync();
        using var connection = await ConnectAsync(own);
        await using var other = await own.ConnectAsync();
        await other.GetServers()[0].ExecuteAsync("CLIENT", "PAUSE", "4000", "ALL");

        await connection.Awaiting(one => Subscribe(one, "a")).Should().ThrowAsync<RedisUnavailableException>()
            .WithMessage("*not confirmed in time*");
    }

    [Fact(Timeout = Limit)]
    public async Task NobodyThere_IsSaid()
    {
        var nowhere = Options(FreePort.Next());

        await nowhere.Awaiting(options => SubscriberConnection.ConnectAsync(options, Hear)).Should().ThrowAsync<RedisUnavailableException>()
            .WithMessage("Redis is out of reach*");
    }

    [Fact(Timeout = Limit)]
    public async Task PasswordsAndAcls_AreKeptTo()
    {
        await using var own = await RedisServer.StartAsync();
        await using var other = await own.ConnectAsync();
        await other.GetDatabase().ExecuteAsync("ACL", "SETUSER", "chat", "on", ">word", "+@all", "-client", "resetchannels", "&user_*");
        await other.GetDatabase().ExecuteAsync("CONFIG", "SET", "requirepass", "secret");

        using (var connection = await ConnectAsync(own, null, "secret"))
        {
            await Subscribe(connection, "a");
        }

        // CLIENT is forbidden to this one, and one refused answer must not be taken for another's.
        using var limited = await ConnectAsync(own, "chat", "word");
        await Subscribe(limited, "user_7");
        var (allowed, forbidden, last) = (Subscribe(limited, "user_8"), Subscribe(limited, "other"), Subscribe(limited, "user_9"));
        await allowed;
        await last;
        await forbidden.Awaiting(task => task).Should().ThrowAsync<RedisUnavailableException>().WithMessage("Redis refuses: NOPERM*");
        await own.Awaiting(server => ConnectAsync(server, "chat", "wrong")).Should().ThrowAsync<RedisUnavailableException>()
            .WithMessage("*WRONGPASS*");
        using var unknown = await ConnectAsync(own);
        await unknown.Awaiting(one => Subscribe(one, "a")).Should().ThrowAsync<RedisUnavailableException>().WithMessage("*NOAUTH*");
    }

    private static RedisOptions Options(int port, string? user = null, string? password = null) =>
        new([new DnsEndPoint(RedisServer.Host, port)], user, password, 0, false, RedisOptions.DefaultPartitions, false);

    private static Task Subscribe(SubscriberConnection connection, string channel) =>
        connection.SubscribeAsync(Encoding.UTF8.GetBytes(channel));

    private Task<SubscriberConnection> ConnectAsync(RedisServer server, string? user = null, string? password = null) =>
        SubscriberConnection.ConnectAsync(Options(server.Port, user, password), Hear);

    private void Hear(SubscriberConnection connection, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload) =>
        _heard.Enqueue((Encoding.UTF8.GetString(channel), Encoding.UTF8.GetString(payload)));
}
