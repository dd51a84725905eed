using System.Globalization;
using System.Text;
using StackExchange.Redis;

namespace ChatServer.Redis.Subscriptions;

/// <summary>
/// What Redis announces of single keys (keyspace notifications, flags K or E, with g and x, of <c>notify-keyspace-events</c>): it must be
/// switched on there, by the operator, or by ChatServer if <c>CHAT_SET_KEYSPACE_EVENTS</c> allows it. A restart of Redis, or somebody at its
/// console, may change that at any time: it is looked at again every <see cref="RedisOptions.KeyspaceEventsPause"/>, and when a connection
/// is back.
/// </summary>
internal sealed partial class KeyspaceEvents(
    IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisOptions options, TimeProvider time, ILogger<KeyspaceEvents> logger)
    : BackgroundService
{
    private const string Setting = "notify-keyspace-events";

    /// <summary>What ends a key, or takes its name from it. UNLINK shows as <c>del</c>.</summary>
    private static readonly string[] Ends = ["del", "expired", "evicted", "rename_from"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, List<Watch>> _watches = [];
    private readonly List<IAsyncDisposable> _ends = [];
    private volatile TaskCompletionSource _restored = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile Announcement _announced;
    private string? _told;

    private enum Announcement
    {
        /// <summary>Also until Redis has said otherwise: a subscription that brings nothing is only a cost.</summary>
        Nothing,

        /// <summary>A channel for each key (flag K).</summary>
        ByKey,

        /// <summary>A channel for each kind of event (flag E): all ended keys of the database come in.</summary>
        ByEvent,
    }

    public bool AreOn => _announced != Announcement.Nothing;

    /// <summary>
    /// Calls back when a key is deleted, expires, is evicted or renamed, as long as notifications are on, also if they are switched on later.
    /// </summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    public async ValueTask<IAsyncDisposable> WatchAsync(string key, Action touched)
    {
        var watch = new Watch(this, key, touched);
        lock (_gate)
        {
            if (!_watches.TryGetValue(key, out var watches))
            {
                _watches[key] = watches = [];
            }

            watches.Add(watch);
        }

        try
        {
            await SubscribeAsync(watch);
            return watch;
        }
        catch
        {
            await watch.DisposeAsync();
            throw;
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.ConnectionRestored += OnRestored;
        try
        {
            while (!stoppingToken.IsCancellationRequested)
            {
                var restored = _restored = new(TaskCreationOptions.RunContinuationsAsynchronously);
                try
                {
                    await LookAsync();
                    await FollowAsync();
                }
                catch (RedisUnavailableException)
                {
                    // The next look, as any other, tells what is on then.
                }

                await Task.WhenAny(Task.Delay(RedisOptions.KeyspaceEventsPause, time, stoppingToken), restored.Task);
            }
        }
        finally
        {
            redis.ConnectionRestored -= OnRestored;
        }
    }

    private void OnRestored(object? sender, ConnectionFailedEventArgs restored) => _restored.TrySetResult();

    private async Task LookAsync()
    {
        try
        {
            _announced = await RedisCalls.TryAsync(SwitchOnOnceAsync);
            var state = AreOn
                ? "on: a logout is noticed at once"
                : "off: a logout is noticed at the next re-check, or when Quantum publishes it";
            if (_told != state)
            {
                Log.State(logger, _told = state);
            }
        }
        catch (RedisUnavailableException unavailable) when (unavailable.InnerException is RedisServerException exception)
        {
            // Redis does not let us ask (ACL, a managed service): they may be on.
            _announced = Announcement.ByKey;
            if (_told != exception.Message)
            {
                Log.Unknown(logger, _told = exception.Message);
            }
        }
    }

    /// <returns>What is announced now.</returns>
    private async Task<Announcement> SwitchOnOnceAsync()
    {
        var database = redis.GetDatabase();
        var answer = (RedisResult[])(await database.ExecuteAsync("CONFIG", "GET", Setting))!;
        var flags = answer.Length == 2 ? (string)answer[1]! : "";
        if (flags.Contains('A') || (flags.Contains('g') && flags.Contains('x')))
        {
            if (flags.Contains('K'))
            {
                return Announcement.ByKey;
            }

            if (flags.Contains('E'))
            {
                return Announcement.ByEvent;
            }
        }

        if (!options.SetKeyspaceEvents)
        {
            return Announcement.Nothing;
        }

        await database.ExecuteAsync("CONFIG", "SET", Setting, flags + "Kgx");
        return Announcement.ByKey;
    }

    /// <summary>Subscribes to what is announced now; what an earlier look has subscribed to stays, and brings nothing any more.</summary>
    private async Task FollowAsync()
    {
        while (_announced == Announcement.ByEvent && _ends.Count < Ends.Length)
        {
            var channel = string.Create(CultureInfo.InvariantCulture, $"__keyevent@{options.Database}__:{Ends[_ends.Count]}");
            _ends.Add(await subscriptions.SubscribeAsync(channel, key => Touch(Encoding.UTF8.GetString(key))));
        }

        Watch[] watches;
        lock (_gate)
        {
            watches = [.. _watches.Values.SelectMany(some => some)];
        }

        foreach (var some in watches.Chunk(RedisOptions.SubscribeAtOnce))
        {
            await Task.WhenAll(some.Select(SubscribeAsync));
        }
    }

    private async Task SubscribeAsync(Watch watch)
    {
        if (_announced == Announcement.ByKey && watch.TryBegin())
        {
            try
            {
                var channel = string.Create(CultureInfo.InvariantCulture, $"__keyspace@{options.Database}__:{watch.Key}");
                await watch.KeepAsync(await subscriptions.SubscribeAsync(channel, _ => watch.Touched()));
            }
            catch
            {
                watch.GiveUp();
                throw;
            }
        }
    }

    private void Touch(string key)
    {
        Watch[] touched;
        lock (_gate)
        {
            touched = _watches.TryGetValue(key, out var watches) ? [.. watches] : [];
        }

        foreach (var watch in touched)
        {
            watch.Touched();
        }
    }

    private void Remove(Watch watch)
    {
        lock (_gate)
        {
            if (_watches.TryGetValue(watch.Key, out var watches) && watches.Remove(watch) && watches.Count == 0)
            {
                _watches.Remove(watch.Key);
            }
        }
    }

    /// <summary>Somebody's interest in a key, whether Redis announces its end or not.</summary>
    private sealed class Watch(KeyspaceEvents events, string key, Action touched) : IAsyncDisposable
    {
        private readonly Lock _gate = new();
        private IAsyncDisposable? _subscription;
        private bool _hasBegun;
        private bool _isOver;

        public string Key => key;

        public Action Touched => touched;

        /// <returns>False if there is a subscription, or one is on its way.</returns>
        public bool TryBegin()
        {
            lock (_gate)
            {
                return !_isOver && !_hasBegun && (_hasBegun = true);
            }
        }

        public void GiveUp()
        {
            lock (_gate)
            {
                _hasBegun = false;
            }
        }

        public async Task KeepAsync(IAsyncDisposable subscription)
        {
            lock (_gate)
            {
                _subscription = subscription;
                if (!_isOver)
                {
                    return;
                }
            }

            // Disposed of while it was being made.
            await subscription.DisposeAsync();
        }

        public async ValueTask DisposeAsync()
        {
            events.Remove(this);
            IAsyncDisposable? subscription;
            lock (_gate)
            {
                (_isOver, subscription) = (true, _subscription);
                _subscription = null;
            }

            if (subscription is not null)
            {
                await subscription.DisposeAsync();
            }
        }
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
