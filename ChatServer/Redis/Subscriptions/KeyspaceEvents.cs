using System.Globalization;
using StackExchange.Redis;

namespace ChatServer.Redis.Subscriptions;

/// <summary>
/// What Redis announces of single keys (keyspace notifications, flags K, g and x of <c>notify-keyspace-events</c>): it must be switched on
/// there, by the operator, or by ChatServer if <c>CHAT_SET_KEYSPACE_EVENTS</c> allows it.
/// </summary>
internal sealed partial class KeyspaceEvents(
    IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisOptions options, TimeProvider time, ILogger<KeyspaceEvents> logger)
    : BackgroundService
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>Off until Redis has said otherwise: a subscription that brings nothing is only a cost.</summary>
    public bool AreOn { get; private set; }

    /// <summary>Calls back when a key is deleted, expires, is evicted or renamed.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    public async ValueTask<IAsyncDisposable> WatchAsync(string key, Action touched) =>
        AreOn
            ? await subscriptions.SubscribeAsync(
                string.Create(CultureInfo.InvariantCulture, $"__keyspace@{options.Database}__:{key}"), _ => touched())
            : Subscription.None;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        RedisRetry.UntilDoneAsync(SwitchOnAsync, () => RedisOptions.KeyspaceEventsPause, time, cancellation: stoppingToken);

    private async Task SwitchOnAsync()
    {
        try
        {
            await RedisCalls.TryAsync(SwitchOnOnceAsync);
        }
        catch (RedisUnavailableException unavailable) when (unavailable.InnerException is RedisServerException exception)
        {
            // Redis does not let us ask (ACL, a managed service): they may be on.
            AreOn = true;
            Log.Unknown(logger, exception.Message);
        }
    }

    /// <returns>Whether they are on now.</returns>
    private async Task<bool> SwitchOnOnceAsync()
    {
        var database = redis.GetDatabase();
        var answer = (RedisResult[])(await database.ExecuteAsync("CONFIG", "GET", Setting))!;
        var flags = answer.Length == 2 ? (string)answer[1]! : "";
        AreOn = flags.Contains('K') && (flags.Contains('A') || (flags.Contains('g') && flags.Contains('x')));
        if (!AreOn && options.SetKeyspaceEvents)
        {
            await database.ExecuteAsync("CONFIG", "SET", Setting, flags + "Kgx");
            AreOn = true;
        }

        Log.State(logger,
            AreOn ? "on: a logout is noticed at once" : "off: a logout is noticed at the next re-check, or when Quantum publishes it");
        return AreOn;
    }

    private static partial class Log
    {
        [LoggerMessage(210, LogLevel.Information, "Redis keyspace notifications are {State}.")]
        public static partial void State(ILogger logger, string state);

        [LoggerMessage(211, LogLevel.Information,
            "Redis does not say whether its keyspace notifications are on; the node assumes that they are. Reason: {Why}")]
        public static partial void Unknown(ILogger logger, string why);
    }
}
