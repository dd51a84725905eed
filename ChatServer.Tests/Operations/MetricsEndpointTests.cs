using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Operations;
using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Rooms;
using ChatServer.Sessions;
using ChatServer.Tests.Operations.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.Operations;

public sealed class MetricsEndpointTests : IAsyncDisposable
{
    private const int Limit = 60_000;

    private readonly ServiceParts _parts = new();
    private readonly SaveConcurrency _saves = Saving.Places(8, TimeProvider.System);

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Get_CountsWhatIsHereAndWhatWaits()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, 12);
        _ = await RequestPeer.JoinAsync(_parts, 8, 12);
        _ = new RequestPeer(_parts);
        await peer.ChatAsync(12, "a1");
        await peer.ChatAsync(12, "a2");
        await peer.SendAsync(FileFrames.Announce(12, "f1", 10));
        await _parts.Outbox.SettleAsync(new(3, 12), 1, "why");
        (await _saves.TakeAsync(new(5, 12), sender: 7, ready: 1, isAlone: false, CancellationToken.None)).End(SaveEnd.Saved);
        await using var site = await StartAsync(
            services => services.AddSingleton(TimeProvider.System).AddSingleton<IOutbox>(_parts.Outbox));

        var values = await ValuesAsync(site);

        values.Should().Contain("chatserver_connections", 3).And.Contain("chatserver_rooms", 1).And.Contain("chatserver_uploads", 1)
            .And.Contain("chatserver_saved_total", 1).And.Contain("chatserver_saves_allowed", _saves.Allowed)
            .And.Contain("chatserver_outbox_messages", 1).And.ContainKey("chatserver_outbox_stuck_seconds")
            .And.Contain("chatserver_dead_letters", 1).And.Contain("chatserver_redis_up", 1);
        values["chatserver_allocated_bytes_total"].Should().BePositive();
    }

    [Fact(Timeout = Limit)]
    public async Task Get_IsPrometheusText()
    {
        await using var site = await StartAsync(
            services => services.AddSingleton(TimeProvider.System).AddSingleton<IOutbox, MemoryOutbox>());

        using var answer = await site.Http.GetAsync(new Uri("/metrics", UriKind.Relative));

        answer.Content.Headers.ContentType!.ToString().Should().Be("text/plain; version=0.0.4; charset=utf-8");
        var text = await answer.Content.ReadAsStringAsync();
        text.Should().EndWith("\n").And.NotContain("\r");
        var lines = text.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        lines.Chunk(3).Should().AllSatisfy(metric =>
        {
            var name = metric[2].Split(' ')[0];
            metric[0].Should().StartWith($"# HELP {name} ");
            metric[1].Should().Be($"# TYPE {name} {(name.EndsWith("_total", StringComparison.Ordinal) ? "counter" : "gauge")}");
        });
    }

    [Fact(Timeout = Limit)]
    public async Task Get_RedisIsAway_SaysSoAndTellsTheRest()
    {
        await using var site = await StartAsync(services => services
            .AddSingleton(TimeProvider.System).AddRedis(RedisNode.OptionsFor(FreePort.Next())).AddRedisSubscriptions()
            .AddSingleton(RoomOptions.Log).AddSessions(new()).AddRedisSessions().AddRedisOutbox());

        var values = await ValuesAsync(site);

        values.Should().Contain("chatserver_redis_up", 0).And.Contain("chatserver_connections", 0);
        values.Should().NotContainKey("chatserver_outbox_messages", "a 0 would be a lie").And.NotContainKey("chatserver_dead_letters");
    }

    private static async Task<Dictionary<string, long>> ValuesAsync(HttpSite site)
    {
        var (status, text) = await site.GetAsync("/metrics");
        status.Should().Be(200);
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line => line.Split(' '))
            .ToDictionary(parts => parts[0], parts => long.Parse(parts[1]), StringComparer.Ordinal);
    }

    private Task<HttpSite> StartAsync(Action<IServiceCollection> outbox) => HttpSite.StartAsync(app => app.MapMetrics(), services =>
    {
        services.AddSingleton(_parts.Connections).AddSingleton(_parts.Get<RoomDirectory>()).AddSingleton(_parts.Get<UploadWatch>())
            .AddSingleton(_saves);
        outbox(services);
    });
}
