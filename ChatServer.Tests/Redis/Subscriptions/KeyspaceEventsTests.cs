using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Time.Testing;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis.Subscriptions;

public sealed class KeyspaceEventsTests : IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int Limit = 60_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly RedisServer _redis;
    private readonly LogLines _log = new();
    private readonly FakeTimeProvider _time = new();
    private ConnectionMultiplexer? _admin;
    private ServiceProvider? _services;

    public KeyspaceEventsTests(RedisServer redis) => _redis = redis;

    private KeyspaceEvents Events => _services!.GetRequiredService<KeyspaceEvents>();

    private IDatabase Admin => _admin!.GetDatabase();

    public async ValueTask InitializeAsync() => _admin = await _redis.ConnectAsync();

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            foreach (var service in _services.GetServices<IHostedService>())
            {
                await service.StopAsync(CancellationToken.None).WaitAsync(Patience);
            }

            await _services.DisposeAsync();
        }

        await _admin!.DisposeAsync();
    }

    [Theory(Timeout = Limit)]
    [InlineData("Kgx", true)]
    [InlineData("KA", true)]
    [InlineData("KEA", true)]
    [InlineData("KEgx$", true)]
    [InlineData("Egx", true)]
    [InlineData("EA", true)]
    [InlineData("gx", false)]
    [InlineData("", false)]
    [InlineData("Kg", false)]
    [InlineData("Kx", false)]
    [InlineData("K$", false)]
    public async Task Start_TheOperatorsFlags_SayWhetherTheyAreOn(string flags, bool areOn)
    {
        await SetAsync(flags);
        var before = await FlagsAsync();

        await StartAsync(RedisNode.OptionsFor(_redis.Port));

        Events.AreOn.Should().Be(areOn);
        _log.All.Should().Contain(line => line.Contains($"notifications are {(areOn ? "on" : "off")}", StringComparison.Ordinal));
        (await FlagsAsync()).Should().Be(before, "nobody has allowed to change them");
    }

    [Fact(Timeout = Limit)]
    public async Task Start_AllowedToSwitchThemOn_AddsToWhatIsThere()
    {
        await SetAsync("El");
        await StartAsync(RedisNode.OptionsFor(_redis.Port) with { SetKeyspaceEvents = true });

        Events.AreOn.Should().BeTrue();
        (await FlagsAsync()).ToCharArray().Should().BeEquivalentTo("ElKgx");
    }

    [Fact(Timeout = Limit)]
    public async Task Start_RedisDoesNotLetUsLook_AssumesThatTheyAreOn()
    {
        await Admin.ExecuteAsync("ACL", "SETUSER", "blind", "on", ">pass", "~*", "&*", "+@all", "-config");

        await StartAsync(RedisNode.OptionsFor(_redis.Port) with { User = "blind", Password = "pass" });

        Events.AreOn.Should().BeTrue();
        _log.All.Should().Contain(line => line.Contains("does not say", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task Start_RedisIsAway_AsksAgainUntilItIsThere()
    {
        await using var redis = await RedisServer.StartAsync("--notify-keyspace-events", "Kgx");
        await redis.StopAsync();
        Open(RedisNode.OptionsFor(redis.Port));
        await Events.StartAsync(CancellationToken.None).WaitAsync(Patience);
        Events.AreOn.Should().BeFalse("a subscription that brings nothing would only cost");

        await redis.StartAgainAsync();

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RedisOptions.KeyspaceEventsPause);
                return Events.AreOn;
            },
            Patience, () => "it was not asked again");
    }

    [Fact(Timeout = Limit)]
    public async Task Look_RedisStartsAgainWithoutThem_SetsThemAgain()
    {
        await using var redis = await RedisServer.StartAsync();
        await StartAsync(RedisNode.OptionsFor(redis.Port) with { SetKeyspaceEvents = true });
        var told = 0;
        await using var watch = await Events.WatchAsync("s_3_7", () => Interlocked.Increment(ref told));
        await redis.StopAsync();
        await redis.StartAgainAsync();
        await using var admin = await redis.ConnectAsync();

        await Eventually.TrueAsync(
            () => admin.GetServers()[0].ConfigGet("notify-keyspace-events")[0].Value.Contains('K'),
            Patience, () => "a connection that is back is enough: time stands still");
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RedisOptions.ReconnectPause);
                admin.GetDatabase().StringSet("s_3_7", "x");
                admin.GetDatabase().KeyDelete("s_3_7");
                return Volatile.Read(ref told) > 0;
            },
            Patience, () => string.Join('\n', _log.All));
    }

    [Theory(Timeout = Limit)]
    [InlineData("Kgx")]
    [InlineData("Egx")]
    public async Task Look_TheyAreSwitchedOnLater_WhoWatchesAlreadyIsTold(string flags)
    {
        await SetAsync("");
        await StartAsync(RedisNode.OptionsFor(_redis.Port));
        var (told, ended) = (0, 0);
        await using var watch = await Events.WatchAsync("early_3_7", () => Interlocked.Increment(ref told));
        await (await Events.WatchAsync("ended_3_7", () => Interlocked.Increment(ref ended))).DisposeAsync();

        await SetAsync(flags);

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RedisOptions.KeyspaceEventsPause);
                foreach (var key in new[] { "ended_3_7", "early_3_7" })
                {
                    Admin.StringSet(key, "x");
                    Admin.KeyDelete(key);
                }

                return Volatile.Read(ref told) > 0;
            },
            Patience, () => string.Join('\n', _log.All));
        Volatile.Read(ref ended).Should().Be(0);
        _log.All.Where(line => line.Contains("notifications are on", StringComparison.Ordinal)).Should().ContainSingle();
    }

    [Theory(Timeout = Limit)]
    [InlineData("DEL", "Kgx")]
    [InlineData("PEXPIRE", "Kgx")]
    [InlineData("RENAME", "Kgx")]
    [InlineData("DEL", "Egx")]
    [InlineData("UNLINK", "Egx")]
    [InlineData("PEXPIRE", "Egx")]
    [InlineData("RENAME", "Egx")]
    public async Task Watch_SomethingHappensToTheKey_CallsBackAndForNoOther(string what, string flags)
    {
        await SetAsync(flags);
        await StartAsync(RedisNode.OptionsFor(_redis.Port));
        var (mine, others) = (0, 0);
        await using var watch = await Events.WatchAsync($"s_{what}", () => Interlocked.Increment(ref mine));
        await using var other = await Events.WatchAsync($"s_{what}_other", () => Interlocked.Increment(ref others));
        await Admin.StringSetAsync($"s_{what}", "x");

        await (what switch
        {
            "DEL" or "UNLINK" => Admin.ExecuteAsync(what, $"s_{what}"),
            "RENAME" => Admin.ExecuteAsync("RENAME", $"s_{what}", "elsewhere"),
            _ => Admin.ExecuteAsync("PEXPIRE", $"s_{what}", "1"),
        });

        await Eventually.TrueAsync(() => Volatile.Read(ref mine) > 0, Patience, () => "nobody was told");
        Volatile.Read(ref others).Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Watch_InAnotherDatabase_HearsOfThatOne()
    {
        await SetAsync("Kgx");
        await StartAsync(RedisNode.OptionsFor(_redis.Port) with { Database = 3 });
        var told = 0;
        await using var watch = await Events.WatchAsync("s_3_7", () => Interlocked.Increment(ref told));
        var third = _admin!.GetDatabase(3);
        await third.StringSetAsync("s_3_7", "x");

        await third.KeyDeleteAsync("s_3_7");

        await Eventually.TrueAsync(() => Volatile.Read(ref told) > 0, Patience, () => "nobody was told");
    }

    [Fact(Timeout = Limit)]
    public async Task Watch_TheyAreOff_SubscribesToNothing()
    {
        await SetAsync("");
        await StartAsync(RedisNode.OptionsFor(_redis.Port));

        await using var watch = await Events.WatchAsync("s_3_7", () => { });

        (await _admin!.GetServers()[0].SubscriptionChannelsAsync(RedisChannel.Pattern("__keyspace*"))).Should().BeEmpty();
    }

    private Task<RedisResult> SetAsync(string flags) => Admin.ExecuteAsync("CONFIG", "SET", "notify-keyspace-events", flags);

    private async Task<string> FlagsAsync() => (await _admin!.GetServers()[0].ConfigGetAsync("notify-keyspace-events"))[0].Value;

    private void Open(RedisOptions options) => _services = new ServiceCollection()
        .AddLogging(logging => logging.AddProvider(_log))
        .AddSingleton<TimeProvider>(_time)
        .AddRedis(options)
        .AddRedisSubscriptions()
        .BuildServiceProvider();

    private async Task StartAsync(RedisOptions options)
    {
        Open(options);
        foreach (var service in _services!.GetServices<IHostedService>())
        {
            await service.StartAsync(CancellationToken.None).WaitAsync(Patience);
        }

        await Eventually.TrueAsync(
            () => _log.All.Any(line => line.Contains("notifications", StringComparison.Ordinal)), Patience, () => "Redis was not asked");
    }
}
