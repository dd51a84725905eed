using System.Globalization;
using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Sessions;
using StackExchange.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// The outbox in Redis: the logs themselves, a sorted set per partition of the rooms that have something to save, and a lease per
/// partition, a key that holds a node's name and expires.
/// </summary>
internal sealed partial class RedisOutbox(
    IConnectionMultiplexer redis, RedisSubscriptions subscriptions, RedisKeys keys, LogLimits limits, UserTokens tokens, TimeProvider time,
    ILogger<RedisOutbox> logger)
    : IOutbox
{
    private static readonly string LeaseScript = EmbeddedScript.Load("lease.lua");
    private static readonly string ReleaseScript = EmbeddedScript.Load("release.lua");
    private static readonly string NodesScript = EmbeddedScript.Load("nodes.lua");
    private static readonly string SettleScript = EmbeddedScript.Load("settle.lua");
    private static readonly string SizeScript = EmbeddedScript.Load("size.lua");
    private static readonly string TakeOverScript = EmbeddedScript.Load("take-over.lua");

    /// <summary>This node's name, unlike any other's.</summary>
    private readonly string _node = Guid.NewGuid().ToString("N");
    private readonly IDatabase _database = redis.GetDatabase();

    public int Partitions => keys.Partitions;

    public async ValueTask<bool> TryLeaseAsync(int partition) =>
#if FAULT_INJECTION
        FaultInjection.Disables("lease") ||
#endif
        (bool)await RunAsync(LeaseScript, [RedisKeys.Lease(partition)], [_node, (long)OutboxOptions.LeaseTime.TotalMilliseconds]);

    public async ValueTask<IReadOnlyList<int>> FreeAsync() =>
        await RedisCalls.TryAsync(async () =>
        {
            var held = await Task.WhenAll(
                Enumerable.Range(0, Partitions).Select(partition => _database.KeyExistsAsync(RedisKeys.Lease(partition))));
            return Enumerable.Range(0, Partitions).Where(partition => !held[partition]).ToList();
        });

    public async ValueTask ReleaseAsync(int partition) =>
        await RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(ReleaseScript, [RedisKeys.Lease(partition)], [_node]));

    public async ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int partition, long since)
    {
        var rooms = new List<UnsavedRoom>();
        var skip = 0;
        SortedSetEntry[] page;
        do
        {
            page = await RedisCalls.TryAsync(() => _database.SortedSetRangeByScoreWithScoresAsync(
                RedisKeys.Unsaved(partition), since, skip: skip, take: OutboxOptions.PageRooms));
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

    public async ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn)
    {
        RedisValue[] values =
        [
            RedisKeys.Member(room), done.Epoch, done.UpTo, readOn ? OutboxOptions.PageBytes : 0,
            (long)(limits.Age + TimeSpan.FromHours(1)).TotalSeconds, limits.Messages, MessageComposer.Timestamp(time.GetUtcNow()),
            done.Aside.Count, done.Dead.Count, .. done.Aside.Select(id => (RedisValue)id),
            .. done.Dead.SelectMany(letter => (IEnumerable<RedisValue>)[letter.Place, letter.Json, letter.Reason]),
            .. done.Told.SelectMany(word => (IEnumerable<RedisValue>)[RedisKeys.UserChannel(word.UserId), word.Json]),
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

    public async IAsyncEnumerable<FileId> WaitingFilesAsync(int partition)
    {
        foreach (var (room, _) in await UnsavedAsync(partition, 0))
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

    public async ValueTask TakeOverFormerAsync(int partition)
    {
        var former = RedisKeys.FormerOutbox(partition);
        var kept = new HashSet<long>();
        RedisValue start = "-";
        StreamEntry[] page;
        do
        {
            var from = start;
            page = await RedisCalls.TryAsync(() => _database.StreamRangeAsync(former, from, "+", OutboxOptions.PageEntries));
            foreach (var entry in page)
            {
                ReadOnlyMemory<byte> json = entry["m"];
                var message = Read(json);
                if (message is not null && kept.Add(message.FromUserId) && (string?)entry["t"] is { Length: > 0 } token)
                {
                    await tokens.KeepOldAsync(message.FromUserId, token);
                }

                await TakeOverAsync(partition, entry.Id, json, message?.Room);
                start = "(" + entry.Id;
            }
        }
        while (page.Length == OutboxOptions.PageEntries);
    }

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
        var partitions = await Task.WhenAll(Enumerable.Range(0, Partitions).Select(partition => UnsavedAsync(partition, 0).AsTask()));
        return await RedisCalls.TryAsync(async () =>
        {
            var waiting = Task.WhenAll(partitions.SelectMany(rooms => rooms.Chunk(OutboxOptions.PageRooms)).Select(rooms =>
                _database.ScriptEvaluateAsync(
                    SizeScript, [.. rooms.SelectMany(each => (IEnumerable<RedisKey>)[keys.Room(each.Room), keys.Aside(each.Room)])])));
            var former = Task.WhenAll(
                Enumerable.Range(0, Partitions).Select(partition => _database.StreamLengthAsync(RedisKeys.FormerOutbox(partition))));
            var dead = Task.WhenAll(
                Enumerable.Range(0, Partitions).Select(partition => _database.StreamLengthAsync(RedisKeys.DeadLetters(partition))));
            var oldest = partitions.Where(rooms => rooms.Count > 0).Select(rooms => rooms[0].Since).DefaultIfEmpty(0).Min();
            return new OutboxSize(
                (await waiting).Sum(count => (long)count) + (await former).Sum(), (await dead).Sum(),
                oldest == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(oldest));
        });
    }

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled) =>
        subscriptions.SubscribeAsync(RedisKeys.OutboxFilled, payload =>
        {
            if (int.TryParse(payload, NumberStyles.None, CultureInfo.InvariantCulture, out var partition))
            {
                filled(partition);
            }
        });

    /// <summary>What frees memory in the end works although Redis is full.</summary>
    private Task<RedisResult> RunAsync(string script, RedisKey[] keys, RedisValue[] values) =>
        RedisCalls.TryAsync(() => _database.ScriptEvaluateAsync(EmbeddedScript.AllowedWhenFull(script, redis), keys, values));

    /// <summary>What can't be read, or lies in the wrong partition, becomes a dead letter.</summary>
    private Task<RedisResult> TakeOverAsync(int partition, RedisValue entry, ReadOnlyMemory<byte> json, RoomKey? room) =>
        room is { } its && keys.PartitionOf(its) == partition
            ? RunAsync(
                TakeOverScript, [RedisKeys.FormerOutbox(partition), keys.Aside(its), RedisKeys.Unsaved(partition)],
                [entry, json, RedisKeys.Member(its)])
            : RunAsync(
                TakeOverScript, [RedisKeys.FormerOutbox(partition), RedisKeys.DeadLetters(partition)],
                [entry, json, "It can't be read.", MessageComposer.Timestamp(time.GetUtcNow())]);

    private static PendingSave ReadAside(RedisResult entry)
    {
        var (id, json) = ((string)((RedisResult[])entry!)[0]!, (ReadOnlyMemory<byte>)((RedisValue[])((RedisResult[])entry!)[1]!)[1]);
        return new(id, 0, json, Read(json));
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
                message.Seq.ToString(CultureInfo.InvariantCulture), message.Seq, message.Json, Read(message.Json))));
            saved = last;
        }

        return messages;
    }

    private static StoredMessage? Read(ReadOnlyMemory<byte> json)
    {
        try
        {
            return StoredMessage.Read(json.Span);
        }
        catch (JsonException)
        {
            return null;
        }
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
