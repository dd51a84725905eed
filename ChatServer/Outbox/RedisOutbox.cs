using System.Globalization;
using System.Text;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using StackExchange.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// The outbox in Redis: the logs themselves, a sorted set per partition of the rooms that have something to save, and a lease per
/// lane, a key that holds a node's name and expires.
/// </summary>
internal sealed partial class RedisOutbox(
    IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys, LogLimits limits, FormerOutbox former,
    TimeProvider time, ILogger<RedisOutbox> logger)
    : IOutbox
{
    private static readonly string LeaseScript = EmbeddedScript.Load("lease.lua");
    private static readonly string ReleaseScript = EmbeddedScript.Load("release.lua");
    private static readonly string NodesScript = EmbeddedScript.Load("nodes.lua");
    private static readonly string SettleScript = EmbeddedScript.Load("settle.lua");
    private static readonly string SizeScript = EmbeddedScript.Load("size.lua");

    /// <summary>This node's name, unlike any other's.</summary>
    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly IDatabase _database = redis.GetDatabase();

    public int Lanes => Math.Min(RedisKeys.Lanes, keys.Partitions);

    public async ValueTask<bool> TryLeaseAsync(int lane) =>
#if FAULT_INJECTION
        FaultInjection.Disables("lease") ||
#endif
        (bool)await RunAsync(LeaseScript, [RedisKeys.Lease(lane)], [_node, (long)OutboxOptions.LeaseTime.TotalMilliseconds]);

    public async ValueTask<IReadOnlyList<int>> FreeAsync() =>
        await RedisCalls.TryAsync(async () =>
        {
            var held = await Task.WhenAll(Enumerable.Range(0, Lanes).Select(lane => _database.KeyExistsAsync(RedisKeys.Lease(lane))));
            return Enumerable.Range(0, Lanes).Where(lane => !held[lane]).ToList();
        });

    public async ValueTask ReleaseAsync(int lane) =>
        await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(ReleaseScript, [RedisKeys.Lease(lane)], [_node]));

    public async ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int lane)
    {
        var rooms = await Task.WhenAll(keys.PartitionsOf(lane).Select(UnsavedOfAsync));
        return [.. rooms.SelectMany(ofPartition => ofPartition).OrderBy(room => room.Since)];
    }

    public async ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn)
    {
        RedisValue[] values =
        [
            RedisKeys.Member(room), done.Epoch, done.UpTo, readOn ? OutboxOptions.PageBytes : 0,
            (long)(limits.Age + TimeSpan.FromHours(1)).TotalSeconds, limits.Messages, MessageComposer.Timestamp(time.GetUtcNow()),
            done.Aside.Count, done.Dead.Count, .. done.Aside.Select(id => (RedisValue)id),
            .. done.Dead.SelectMany(letter => (IEnumerable<RedisValue>)[letter.Place, letter.Json, letter.Reason]),
            .. done.Told.SelectMany(word => (IEnumerable<RedisValue>)[RedisKeys.UserChannel(word.UserId), MarkedAsOurs(word.Json)]),
        ];
        var partition = keys.PartitionOf(room);
        var answer = (RedisResult[])(await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(
            SettleScript,
            [keys.Room(room), keys.Log(room), RedisKeys.Unsaved(partition), keys.Aside(room), RedisKeys.DeadLetters(partition)], values)))!;
        var (epoch, saved, kind, entries, lost) =
            ((string)answer[0]!, (long)answer[1], (string)answer[2]!, (RedisResult[])answer[3]!, (long)answer[4]);
        var messages = kind == "aside" ? [.. entries.Select(ReadAside)] : ReadLog(entries, saved, epoch, ref lost);
        if (lost > 0)
        {
            Log.Lost(logger, lost, keys.Log(room), saved + 1);
        }

        return new(epoch, messages, HasMore: kind == "more" || messages.Count > 0);
    }

    public async IAsyncEnumerable<FileId> WaitingFilesAsync(int lane)
    {
        foreach (var (room, _) in await UnsavedAsync(lane))
        {
            var state = await RedisCalls.TryAsync(() => _database.HashGetAsync(keys.Room(room), ["saved", "seq"]));
            var after = state[0].IsNull ? (long)state[1] : (long)state[0];
            await foreach (var entry in ReadStreamAsync(keys.Aside(room), "-"))
            {
                foreach (var id in FilesOf([ReadAside(entry)]))
                {
                    yield return id;
                }
            }

            await foreach (var entry in ReadStreamAsync(keys.Log(room), string.Create(CultureInfo.InvariantCulture, $"({after}-0")))
            {
                var lost = 0L;
                foreach (var id in FilesOf(ReadLog([entry], after, "", ref lost)))
                {
                    yield return id;
                }
            }
        }
    }

    public async ValueTask TakeOverFormerAsync(int lane) =>
        await Task.WhenAll(keys.PartitionsOf(lane).Select(former.TakeOverAsync));

    public async ValueTask<int> CountNodesAsync()
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("lease"))
        {
            return 1;
        }

#endif
        return (int)await RunAsync(NodesScript, [RedisKeys.Nodes], [_node, (long)OutboxOptions.LeaseTime.TotalMilliseconds]);
    }

    public async ValueTask SignOffAsync() => await RedisCalls.TryAsync(() => _database.SortedSetRemoveAsync(RedisKeys.Nodes, _node));

    public async ValueTask<OutboxSize> SizeAsync()
    {
        var partitions = await FilledAsync();
        var unsaved = await Task.WhenAll(partitions.Select(UnsavedOfAsync));
        return await RedisCalls.TryAsync(async () =>
        {
            var waiting = Task.WhenAll(unsaved.SelectMany(rooms => rooms.Chunk(OutboxOptions.PageRooms)).Select(rooms =>
                _database.ScriptEvaluateAsync(
                    SizeScript, [.. rooms.SelectMany(each => (IEnumerable<RedisKey>)[keys.Room(each.Room), keys.Aside(each.Room)])])));
            var ofFormer = Task.WhenAll(partitions.Select(partition => _database.StreamLengthAsync(RedisKeys.FormerOutbox(partition))));
            var dead = Task.WhenAll(partitions.Select(partition => _database.StreamLengthAsync(RedisKeys.DeadLetters(partition))));
            var oldest = unsaved.Where(rooms => rooms.Count > 0).Select(rooms => rooms[0].Since).DefaultIfEmpty(0).Min();
            return new OutboxSize(
                (await waiting).Sum(count => (long)count) + (await ofFormer).Sum(), (await dead).Sum(),
                oldest == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(oldest));
        });
    }

    public async ValueTask<IAsyncDisposable> ListenAsync(Action<int, RoomKey> filled, Action restored)
    {
        var listening = await subscriptions.SubscribeAsync(keys.OutboxFilled, payload =>
        {
            var space = payload.IndexOf((byte)' ');
            if (space > 0
                && int.TryParse(payload[..space], NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
                && RedisKeys.RoomOf(Encoding.UTF8.GetString(payload[(space + 1)..])) is { } room)
            {
                filled(RedisKeys.LaneOf(partition), room);
            }
        });
        subscriptions.WhenRestored(restored);
        return listening;
    }

    /// <summary>
    /// The partitions that have anything to save or to tell. Most have nothing, and then one question is enough.
    /// </summary>
    private async Task<IReadOnlyList<int>> FilledAsync()
    {
        var filled = await RedisCalls.TryAsync(() => Task.WhenAll(Enumerable.Range(0, keys.Partitions).Select(partition =>
            _database.KeyExistsAsync(
                [RedisKeys.Unsaved(partition), RedisKeys.DeadLetters(partition), RedisKeys.FormerOutbox(partition)]))));
        return [.. Enumerable.Range(0, filled.Length).Where(partition => filled[partition] > 0)];
    }

    private async Task<IReadOnlyList<UnsavedRoom>> UnsavedOfAsync(int partition)
    {
        var rooms = new List<UnsavedRoom>();
        var skip = 0;
        SortedSetEntry[] page;
        do
        {
            page = await RedisCalls.TryAsync(() => _database.SortedSetRangeByRankWithScoresAsync(
                RedisKeys.Unsaved(partition), skip, skip + OutboxOptions.PageRooms - 1));
            foreach (var entry in page)
            {
                if (RedisKeys.RoomOf(entry.Element!) is { } room)
                {
                    rooms.Add(new(room, (long)entry.Score));
                }
            }
        }
        while ((skip += page.Length) > 0 && page.Length == OutboxOptions.PageRooms);
        return rooms;
    }

    /// <summary>What frees memory in the end works although Redis is full.</summary>
    private Task<RedisResult> RunAsync(string script, RedisKey[] keys, RedisValue[] values) =>
        RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(EmbeddedScript.AllowedWhenFull(script, redis), keys, values));

    private byte[] MarkedAsOurs(ReadOnlyMemory<byte> json) => [.. Encoding.ASCII.GetBytes(keys.NodesMark), .. json.Span];

    private static PendingSave ReadAside(RedisResult entry)
    {
        var (id, json) = ((string)((RedisResult[])entry!)[0]!, (ReadOnlyMemory<byte>)((RedisValue[])((RedisResult[])entry!)[1]!)[1]);
        return new(id, 0, json, StoredMessage.TryRead(json.Span));
    }

    /// <param name="lost">Grows by what is missing.</param>
    private static List<PendingSave> ReadLog(RedisResult[] entries, long saved, string epoch, ref long lost)
    {
        var messages = new List<PendingSave>();
        foreach (var entry in entries)
        {
            var last = LogEntries.LastSeqOf(entry);
            var read = LogEntries.Read([entry], saved, epoch, long.MaxValue, out _);
            if (read.Count == 0)
            {
                var place = last.ToString(CultureInfo.InvariantCulture);
                messages.Add(new(place, last, (ReadOnlyMemory<byte>)((RedisValue[])((RedisResult[])entry!)[1]!)[1], null));
            }

            lost += read.Count > 0 ? read[0].Seq - saved - 1 : 0;
            messages.AddRange(read.Select(message => new PendingSave(
                message.Seq.ToString(CultureInfo.InvariantCulture), message.Seq, message.Json, StoredMessage.TryRead(message.Json.Span))));
            saved = last;
        }

        return messages;
    }

    private static IEnumerable<FileId> FilesOf(IEnumerable<PendingSave> messages) =>
        messages.Select(pending => FileId.TryParse(pending.Message?.File?.Id ?? "", out var id) ? id : (FileId?)null).OfType<FileId>();

    private async IAsyncEnumerable<RedisResult> ReadStreamAsync(string key, string start)
    {
        RedisResult[] page;
        do
        {
            var from = start;
            page = (RedisResult[])(await RedisCalls.TryAsync(
                () => _database.ExecuteAsync("XRANGE", (RedisKey)key, from, "+", "COUNT", OutboxOptions.EntriesAtOnce)))!;
            foreach (var entry in page)
            {
                yield return entry;
                start = "(" + (string)((RedisResult[])entry!)[0]!;
            }
        }
        while (page.Length == OutboxOptions.EntriesAtOnce);
    }

    private static partial class Log
    {
        [LoggerMessage(960, LogLevel.Error,
            "{Count} messages that Quantum does not have are missing in the log {Key}, from seq {Seq} on. Somebody has removed them, or "
            + "Redis has lost them; they cannot be saved.")]
        public static partial void Lost(ILogger logger, long count, string key, long seq);
    }
}
