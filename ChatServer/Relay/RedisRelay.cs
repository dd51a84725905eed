using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Relay;

/// <summary>The relay over Redis: one Lua script accepts, pub/sub carries, a stream per room is its log.</summary>
internal sealed partial class RedisRelay : IRelay
{
    private readonly IDatabase _database;
    private readonly ISubscriber _subscriber;
    private readonly RedisKeys _keys;
    private readonly AcceptLane[] _lanes;
    private readonly string _readScript = EmbeddedScript.Load("read.lua");
    private readonly ILogger<RedisRelay> _logger;

    public RedisRelay(IConnectionMultiplexer redis, RedisKeys keys, ILogger<RedisRelay> logger)
    {
        (_database, _subscriber, _keys, _logger) = (redis.GetDatabase(), redis.GetSubscriber(), keys, logger);
        var script = EmbeddedScript.Load("accept.lua");
        _lanes = [.. Enumerable.Range(0, keys.Partitions).Select(partition => new AcceptLane(partition, _database, keys, script))];
    }

    public ValueTask<Acceptance> AcceptAsync(MessageDraft draft) => new(_lanes[_keys.PartitionOf(draft.Room)].PostAsync(draft));

    public ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener)
    {
        var name = _keys.RoomChannel(room);
        return SubscribeAsync(name, payload =>
        {
            if (!RelayPayload.Deliver(payload, listener))
            {
                LogForeign(name, payload.Length);
            }
        });
    }

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener) =>
        SubscribeAsync(RedisKeys.UserChannel(userId), listener);

    public async ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count)
    {
        var answer = (RedisResult[])(await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            _readScript, [_keys.Room(room), _keys.Log(room)], [after, count, Epoch.New()])))!;
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

    private ValueTask<IAsyncDisposable> SubscribeAsync(string channel, Action<ReadOnlyMemory<byte>> listener) =>
        RedisCalls.SubscribeAsync(_subscriber, channel, listener);

    [LoggerMessage(401, LogLevel.Warning, "On channel {Channel} came {Bytes} bytes that no ChatServer wrote; nobody gets them.")]
    private partial void LogForeign(string channel, int bytes);
}
