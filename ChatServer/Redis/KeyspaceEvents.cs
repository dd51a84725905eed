using System.Globalization;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>
/// What Redis tells of single keys (keyspace notifications, flags K, g and x of <c>notify-keyspace-events</c>): it must be switched on there, by the operator,
/// or by ChatServer where <c>CHAT_SET_KEYSPACE_EVENTS</c> allows it.
/// </summary>
internal sealed partial class KeyspaceEvents(
    IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisOptions options, ILogger<KeyspaceEvents> logger) : BackgroundService
{
    private const string Setting = "notify-keyspace-events";

    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);

    /// <summary>Off until Redis has said otherwise: a subscription that brings nothing would only cost.</summary>
    public bool AreOn { get; private set; }

    /// <summary>Calls back when a key is deleted, expires, is evicted or renamed.</summary>
    /// <exception cref="Relay.RelayUnavailableException">The subscription is not in force.</exception>
    public async ValueTask<IAsyncDisposable> WatchAsync(string key, Action touched) =>
        AreOn
            ? await subscriptions.SubscribeAsync(string.Create(CultureInfo.InvariantCulture, $"__keyspace@{options.Database}__:{key}"), _ => touched())
            : NotWatching.Instance;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await SwitchOnAsync();
                return;
            }
            catch (RedisServerException exception)
            {
                // Redis does not let us look (ACL, a managed service): perhaps they are on.
                AreOn = true;
                LogUnknown(exception.Message);
                return;
            }
            catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
            {
                await Task.Delay(TryAgainAfter, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task SwitchOnAsync()
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

        LogState(AreOn ? "on: a logout is noticed at once" : "off: a logout is noticed at the next re-check, or when Quantum publishes it");
    }

    [LoggerMessage(220, LogLevel.Information, "Redis's keyspace notifications are {State}.")]
    private partial void LogState(string state);

    [LoggerMessage(221, LogLevel.Information, "Redis does not tell whether its keyspace notifications are on: {Why}")]
    private partial void LogUnknown(string why);
}
