using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Relay;

/// <summary>
/// Accepts messages in the order in which they were posted: one script call is under way at a time, and what arrives meanwhile shares the next one.
/// When a call fails, everything that waits fails with it: a later message of a sender must not overtake an earlier one.
/// </summary>
internal sealed class AcceptLane(IDatabase database, string script, TimeProvider time) : IThreadPoolWorkItem
{
    /// <summary>Keeps one call, during which Redis serves nobody else, at a few milliseconds. Large ones let a room's messages leave in one write.</summary>
    private const int MaxBatch = 512;
    private const int KeysEach = 4;
    private const int ValuesEach = 9;
    private const int ValuesFirst = 7;

    private readonly Lock _gate = new();
    private List<Posted> _waiting = [];
    private List<Posted> _spare = [];
    private bool _running;

    public void Post(MessageDraft draft, RoomNames names, IAcceptListener listener)
    {
        lock (_gate)
        {
            _waiting.Add(new(draft, names, listener));
            if (_running)
            {
                return;
            }

            _running = true;
        }

        // Not at once: what this turn of the receiving side still brings shares the call.
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _ = RunAsync();

    private async Task RunAsync()
    {
        while (Take() is { } batch)
        {
            var told = 0;
            try
            {
                var answers = await CallAsync(batch);
                for (ReadOnlyMemory<byte> rest = answers; told < batch.Count; told++)
                {
                    rest = Tell(batch[told], rest);
                }

                Reuse(batch);
            }
            catch (Exception exception)
            {
                // Also a defect of ours must not leave the lane standing.
                var unavailable = exception as RelayUnavailableException ?? new("The accept step failed.", exception);
                foreach (var (draft, _, listener) in batch.Skip(told).Concat(TakeAll()))
                {
                    listener.OnUnavailable(draft, unavailable);
                }
            }
        }
    }

    private async Task<byte[]> CallAsync(List<Posted> batch)
    {
        var files = KeysEach * batch.Count;
        var names = new RedisKey[files + batch.Count(posted => posted.Draft.File is not null)];
        var values = new RedisValue[ValuesFirst + (ValuesEach * batch.Count)];
        values[0] = Epoch.New();
        values[1] = RelayLimits.LogMessages;
        values[2] = (long)(RelayLimits.LogAge + TimeSpan.FromHours(1)).TotalSeconds;
        values[3] = (long)RelayLimits.IdentifierAge.TotalSeconds;
        values[4] = "PUBLISH";
        values[5] = RedisKeys.OutboxFilled;
        values[6] = time.GetUtcNow().ToUnixTimeSeconds() / 3600;
        for (var index = 0; index < batch.Count; index++)
        {
            var (draft, room, _) = batch[index];
            var key = KeysEach * index;
            names[key] = room.Room;
            names[key + 1] = room.Log;
            names[key + 2] = room.Identifier(draft.UserId, draft.Identifier);
            names[key + 3] = room.Outbox;
            var value = ValuesFirst + (ValuesEach * index);
            values[value] = room.Channel;
            values[value + 1] = draft.Head;
            values[value + 2] = draft.Tail;
            values[value + 3] = RelayPayload.Connection(draft.Origin);
            values[value + 4] = draft.Timestamp;
            values[value + 5] = draft.TokenKey;
            values[value + 6] = draft.Seen.Epoch ?? "";
            values[value + 7] = draft.Seen.Seq;
            values[value + 8] = "";
            if (draft.File is { } file)
            {
                names[files++] = RedisKeys.File(file.Id);
                values[value + 8] = string.Create(CultureInfo.InvariantCulture, $"{files} {(long)file.Retention.TotalSeconds}");
            }
        }

        return (byte[])(await RedisCalls.TryAsync(() => database.ScriptEvaluateAsync(script, names, values)))!;
    }

    /// <summary>Tells the outcome that the first line of the answers holds.</summary>
    /// <returns>The other lines.</returns>
    private static ReadOnlyMemory<byte> Tell(Posted posted, ReadOnlyMemory<byte> answers)
    {
        var (draft, _, listener) = posted;
        var end = answers.Span.IndexOf((byte)'\n');
        var line = end < 0 ? answers.Span : answers.Span[..end];
        if (line.StartsWith("! "u8))
        {
            listener.OnUnavailable(draft, new($"Redis did not accept the message: {Encoding.UTF8.GetString(line[2..])}"));
        }
        else
        {
            listener.OnAccepted(draft, Parse(line, draft.Timestamp, draft.Seen.Epoch));
        }

        return end < 0 ? default : answers[(end + 1)..];
    }

    /// <summary>Reads what an identifier's key holds: the first answer.</summary>
    public static Acceptance ParseKnown(string answer) => Parse(Encoding.ASCII.GetBytes($"{answer} repeat"), "", null);

    private static Acceptance Parse(ReadOnlySpan<byte> line, string timestamp, string? seenEpoch)
    {
        if (!Utf8Parser.TryParse(line, out long seq, out var digits))
        {
            throw new FormatException($"The accept script answered \"{Encoding.UTF8.GetString(line)}\".");
        }

        line = line[(digits + 1)..];
        var space = line.IndexOf((byte)' ');
        var epoch = Epoch.Read(space < 0 ? line : line[..space], seenEpoch);
        return space < 0
            ? new(seq, epoch, timestamp, IsRepeat: false)
            : new(seq, epoch, Encoding.ASCII.GetString(line[(space + 1)..line.LastIndexOf((byte)' ')]), IsRepeat: true);
    }

    private List<Posted>? Take()
    {
        lock (_gate)
        {
            if (_waiting.Count == 0)
            {
                _running = false;
                return null;
            }

            var batch = _waiting;
            if (batch.Count <= MaxBatch)
            {
                (_waiting, _spare) = (_spare, []);
                return batch;
            }

            _waiting = batch[MaxBatch..];
            return batch[..MaxBatch];
        }
    }

    private void Reuse(List<Posted> batch)
    {
        batch.Clear();
        lock (_gate)
        {
            _spare = batch;
        }
    }

    private List<Posted> TakeAll()
    {
        lock (_gate)
        {
            var all = _waiting;
            _waiting = [];
            return all;
        }
    }

    private readonly record struct Posted(MessageDraft Draft, RoomNames Names, IAcceptListener Listener);
}
