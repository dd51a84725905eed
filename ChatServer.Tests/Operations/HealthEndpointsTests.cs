using ChatServer.Embedded;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Rooms;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Operations.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.Operations;

public sealed class HealthEndpointsTests
{
    private const int Limit = 60_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    [Fact(Timeout = Limit)]
    public async Task Ready_Embedded_NeedsNobody()
    {
        await using var site = await StartAsync(new MemoryOutbox(TimeProvider.System));

        (await site.GetAsync("/healthz")).Should().Be((200, "alive"));
        (await site.GetAsync("/readyz")).Should().Be((200, "ready"));
    }

    [Fact(Timeout = Limit)]
    public async Task Ready_MessagesWaitOrAreDead_SaysHowManyAndIsReady()
    {
        var outbox = new MemoryOutbox(TimeProvider.System);
        await using var site = await StartAsync(outbox);
        var room = Drafts.NewRoom();
        outbox.Add(room, 1, Saving.Pending(room, 1).Json);
        outbox.Add(room, 2, Saving.Pending(room, 2).Json);
        await UntilAsync(site, "ready; 2 messages wait for Quantum");
        await outbox.SettleAsync(room, 1, "why");
        await UntilAsync(site, "ready; 1 messages wait for Quantum; 1 dead letters");

        await outbox.SettleAsync(room, 1, "why");

        await UntilAsync(site, "ready; 2 dead letters");
    }

    [Fact(Timeout = Limit)]
    public async Task Ready_TheServiceIsAboutToStop_IsNotReadyAndStillAlive()
    {
        await using var site = await StartAsync(new MemoryOutbox(TimeProvider.System));

        site.AnnounceStop();

        (await site.GetAsync("/readyz")).Should().Be((503, "not ready: stopping"));
        (await site.GetAsync("/healthz")).Should().Be((200, "alive"));
    }

    [Fact(Timeout = Limit)]
    public async Task Ready_RedisGoesAwayAndComesBack_IsNotReadyMeanwhile()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var site = await StartAsync(RedisNode.OptionsFor(redis.Port));
        await UntilAsync(site, "ready");

        await redis.StopAsync();

        (await site.GetAsync("/readyz")).Should().Be((503, "not ready: Redis is out of reach"));
        (await site.GetAsync("/healthz")).Should().Be((200, "alive"), "a restart would not bring Redis back");
        await redis.StartAgainAsync();
        await UntilAsync(site, "ready");
    }

    [Fact(Timeout = Limit)]
    public async Task Ready_RedisAnswersAndNothingCanBeHeard_IsNotReady()
    {
        await using var redis = await RedisServer.StartAsync();
        await using (var admin = await redis.ConnectAsync())
        {
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "deaf", "on", ">pass", "~*", "&*", "+@all", "-subscribe");
        }

        await using var site = await StartAsync(RedisNode.OptionsFor(redis.Port) with { User = "deaf", Password = "pass" });

        (await site.GetAsync("/readyz")).Should().Be((503, "not ready: subscriptions are not in force"));
    }

    private static async Task UntilAsync(HttpSite site, string text)
    {
        var start = TimeProvider.System.GetTimestamp();
        for (var answer = await site.GetAsync("/readyz"); answer != (200, text); answer = await site.GetAsync("/readyz"))
        {
            TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(Patience, "it answers {0}", answer);
            await Task.Delay(50);
        }
    }

    private static Task<HttpSite> StartAsync(MemoryOutbox outbox) =>
        HttpSite.StartAsync(
            app => app.MapHealth(), services => services.AddSingleton(TimeProvider.System).AddSingleton<IOutbox>(outbox));

    private static Task<HttpSite> StartAsync(RedisOptions options) => HttpSite.StartAsync(
        app => app.MapHealth(),
        services => services.AddSingleton(TimeProvider.System).AddRedis(options).AddPartitionLayout().AddRedisSubscriptions()
            .AddSingleton(RoomOptions.Log).AddSessions(new()).AddRedisSessions().AddRedisOutbox());
}
