using System.Collections.Concurrent;
using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>The backplane over Redis: one Lua script accepts, pub/sub carries, a stream per room is its log.</summary>
internal sealed partial class RedisBackplane : IBackplane
{
    private readonly IDatabase _database;
    private readonly RedisSubscriptions _subscriptions;
    private readonly RedisKeys _keys;
    private readonly AcceptBatcher _batcher;
    private readonly ConcurrentDictionary<RoomKey, RoomNames> _names = new();
    private readonly GenerationScripts _scripts;
    private readonly ILogger<RedisBackplane> _logger;

    public RedisBackplane(
        IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys, LogLimits limits, TimeProvider time,
        ILoggerFactory loggers)
    {
        (_database, _subscriptions, _keys, _logger) = (redis.GetDatabase(), subscriptions, keys, loggers.CreateLogger<RedisBackplane>());
        var script = EmbeddedScript.Load("accept.lua");
#if FAULT_INJECTION
        script = FaultInjection.Disables("dedupe") ? script.Replace(", 'NX')", ")", StringComparison.Ordinal) : script;
#endif
        _scripts = new(redis, script, time, loggers.CreateLogger<GenerationScripts>());
        _batcher = new(_scripts, limits, time);
    }

    public void Accept(MessageDraft draft, IAcceptListener listener) =>
        _batcher.Post(draft, _names.TryGetValue(draft.Room, out var names) ? names : new(_keys, draft.Room), listener);

    public async ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier) =>
        (string?)await RedisCalls.TryAsync(() => _database.StringGetAsync(_keys.Identifier(room, userId, identifier))) is { } answer
            ? AcceptScript.ParseKnown(answer)
            : null;

    public async ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener)
    {
        var name = _keys.RoomChannel(room);
        var payloads = new RoomPayloadReader(listener);
        var subscription = await _subscriptions.SubscribeAsync(name, payload =>
        {
            if (!payloads.Read(payload))
            {
                Log.ForeignPayload(_logger, name, payload.Length);
            }
        });
        _names[room] = new(_keys, room);
        return new Subscription(() =>
        {
            _names.TryRemove(room, out _);
            return subscription.DisposeAsync();
        });
    }

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.UserChannel(userId), payload => listener(payload.ToArray()));

    public ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.Control, payload => listener(payload.ToArray()));

    public void WhenRestored(Action restored) => _subscriptions.WhenRestored(restored);

    public async ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null)
    {
        var answer = (RedisResult[])(await _scripts.ReadAsync(
            [_keys.Room(room), _keys.Log(room)], [after, count, Epoch.New(), seenIn ?? ""]))!;
        var epoch = (string)answer[0]!;
        var entries = (RedisResult[])answer[2]!;
        var messages = new RelayedMessage[entries.Length];
        for (var index = 0; index < entries.Length; index++)
        {
            var entry = (RedisResult[])entries[index]!;
            var fields = (RedisValue[])entry[1]!;
            var id = (string)entry[0]!;
            RoomPayload.TryConnection((byte[])fields[3]!, out var origin);
            messages[index] = new(
                long.Parse(id.AsSpan(0, id.IndexOf('-')), NumberStyles.None, CultureInfo.InvariantCulture), epoch, origin, fields[1]);
        }

        return new(epoch, (long)answer[1], messages) { Past = EpochEnd.ReadAll((string)answer[3]!) };
    }

    public async ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice) =>
        await RedisCalls.TryAsync(() => _database.PublishAsync(RedisChannel.Literal(_keys.RoomChannel(room)), RoomPayload.Notice(notice)));

    public async ValueTask NotifyUserAsync(long userId, ReadOnlyMemory<byte> json) =>
        await RedisCalls.TryAsync(() => _database.PublishAsync(RedisChannel.Literal(RedisKeys.UserChannel(userId)), json));


    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Warning,
            "On channel {Channel} came {Bytes} bytes that no ChatServer wrote; they are dropped. Check who else publishes "
            + "there.")]
        public static partial void ForeignPayload(ILogger logger, string channel, int bytes);
    }
}
