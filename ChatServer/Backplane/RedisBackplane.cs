using System.Collections.Concurrent;
using System.Text;
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
    private readonly ConcurrentDictionary<RoomKey, bool> _unreadable = new();
    private readonly LogLimits _limits;
    private readonly byte[] _nodesMark;
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
        _batcher = new(_scripts, limits);
        _limits = limits;
        _nodesMark = Encoding.ASCII.GetBytes(keys.NodesMark);
    }

    public void Accept(MessageDraft draft, IAcceptListener listener) =>
        _batcher.Post(draft, _names.TryGetValue(draft.Room, out var names) ? names : new(_keys, draft.Room), listener);

    public async ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier) =>
        (string?)await RedisCalls.TryAsync(() => _database.StringGetAsync(_keys.Identifier(room, userId, identifier))) is { } answer
            ? AcceptAnswers.ParseKnown(answer)
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
            _unreadable.TryRemove(room, out _);
            return subscription.DisposeAsync();
        });
    }

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.UserChannel(userId), payload =>
        {
            if (!payload.StartsWith("@"u8))
            {
                listener(payload.ToArray());
            }
            else if (payload.StartsWith(_nodesMark))
            {
                listener(payload[_nodesMark.Length..].ToArray());
            }

            // Else it comes from nodes of another installation, whose users have the same numbers.
        });

    public ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener) =>
        _subscriptions.SubscribeAsync(RedisKeys.Control, payload => listener(payload.ToArray()));

    public void WhenRestored(Action restored) => _subscriptions.WhenRestored(restored);

    public async ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null)
    {
        while (true)
        {
            var answer = (RedisResult[])(await _scripts.ReadAsync(
                [_keys.Room(room), _keys.Log(room)],
                [after, count, Epoch.New(), seenIn ?? "", BackplaneOptions.PageBytes, (long)_limits.Age.TotalSeconds]))!;
            var (epoch, head, entries) = ((string)answer[0]!, (long)answer[1], (RedisResult[])answer[2]!);
            var messages = LogEntries.Read(entries, after, epoch, head, out var unreadable);
            if (unreadable is not null && _unreadable.TryAdd(room, true))
            {
                Log.UnreadableEntry(_logger, unreadable, _keys.Log(room));
            }

            if (messages.Count > 0 || entries.Length == 0)
            {
                messages.RemoveRange(Math.Min(count, messages.Count), Math.Max(0, messages.Count - count));
                return new(epoch, head, messages) { Past = EpochEnd.ReadAll((string)answer[3]!) };
            }

            // Nothing but entries of no use: what can be read lies behind them. Nobody has seen those, so the position counts as asked for.
            (after, seenIn) = (LogEntries.LastSeqOf(entries[^1]), null);
        }
    }

    public async ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice) =>
        await RedisCalls.TryAsync(() => _database.PublishAsync(RedisChannel.Literal(_keys.RoomChannel(room)), RoomPayload.Notice(notice)));

    private static partial class Log
    {
        [LoggerMessage(300, LogLevel.Warning,
            "On channel {Channel} came {Bytes} bytes that no ChatServer wrote; they are dropped. Check who else publishes "
            + "there.")]
        public static partial void ForeignPayload(ILogger logger, string channel, int bytes);

        [LoggerMessage(302, LogLevel.Error,
            "Entry {Entry} of the log {Key} cannot be read and is left out, as are others of this room; members start over behind it. "
            + "Check who else writes there.")]
        public static partial void UnreadableEntry(ILogger logger, string entry, string key);
    }
}
