using System.Collections.Concurrent;
using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Relay;

/// <summary>The relay over Redis: one Lua script accepts, pub/sub carries, a stream per room is its log.</summary>
internal sealed partial class RedisRelay : IRelay
{
    private readonly IDatabase _database;
    private readonly RedisSubscriptions _subscriptions;
    private readonly RedisKeys _keys;
    private readonly AcceptLane _lane;
    private readonly ConcurrentDictionary<RoomKey, RoomNames> _names = new();
    private readonly string _readScript = EmbeddedScript.Load("read.lua");
    private readonly ILogger<RedisRelay> _logger;

    public RedisRelay(IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys, TimeProvider time, ILogger<RedisRelay> logger)
    {
        (_database, _subscriptions, _keys, _logger) = (redis.GetDatabase(), subscriptions, keys, logger);
        var script = EmbeddedScript.Load("accept.lua");
#if SABOTAGE
        script = Sabotage.Of("dedupe") ? script.Replace(", 'NX')", ")", StringComparison.Ordinal) : script;
#endif
        _lane = new(_database, script, time);
    }

    public void Accept(MessageDraft draft, IAcceptListener listener) =>
        _lane.Post(draft, _names.TryGetValue(draft.Room, out var names) ? names : new(_keys, draft.Room), listener);

    public async ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier) =>
        (string?)await RedisCalls.TryAsync(() => _database.StringGetAsync(_keys.Identifier(room, userId, identifier))) is { } answer
            ? AcceptCall.ParseKnown(answer)
            : null;

    public async ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener)
    {
        var name = _keys.RoomChannel(room);
        var payloads = new RelayPayloadReader(listener);
        var subscription = await _subscriptions.SubscribeAsync(name, payload =>
        {
            if (!payloads.Read(payload))
            {
                LogForeign(name, payload.Length);
            }
        });
        _names[room] = new(_keys, room);
        return new RoomSubscription(subscription, () => _names.TryRemove(room, out _));
    }

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.UserChannel(userId), payload => listener(payload.ToArray()));

    public ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.Control, payload => listener(payload.ToArray()));

    public void WhenRestored(Action restored) => _subscriptions.WhenRestored(restored);

    public async ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null)
    {
        var answer = (RedisResult[])(await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            _readScript, [_keys.Room(room), _keys.Log(room)], [after, count, Epoch.New(), seenIn ?? ""])))!;
        var epoch = (string)answer[0]!;
        var entries = (RedisResult[])answer[2]!;
        var messages = new RelayedMessage[entries.Length];
        for (var index = 0; index < entries.Length; index++)
        {
            var entry = (RedisResult[])entries[index]!;
            var fields = (RedisValue[])entry[1]!;
            var id = (string)entry[0]!;
            RelayPayload.TryConnection((byte[])fields[3]!, out var origin);
            messages[index] = new(long.Parse(id.AsSpan(0, id.IndexOf('-')), NumberStyles.None, CultureInfo.InvariantCulture), epoch, origin, fields[1]);
        }

        return new(epoch, (long)answer[1], messages);
    }

    public async ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice) =>
        await RedisCalls.TryAsync(() => _database.PublishAsync(RedisChannel.Literal(_keys.RoomChannel(room)), RelayPayload.Notice(notice)));

    public async ValueTask NotifyUserAsync(long userId, ReadOnlyMemory<byte> json) =>
        await RedisCalls.TryAsync(() => _database.PublishAsync(RedisChannel.Literal(RedisKeys.UserChannel(userId)), json));

    [LoggerMessage(401, LogLevel.Warning, "On channel {Channel} came {Bytes} bytes that no ChatServer wrote; nobody gets them.")]
    private partial void LogForeign(string channel, int bytes);

    private sealed class RoomSubscription(IAsyncDisposable subscription, Action ended) : IAsyncDisposable
    {
        public ValueTask DisposeAsync()
        {
            ended();
            return subscription.DisposeAsync();
        }
    }
}
