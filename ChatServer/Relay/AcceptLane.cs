using System.Globalization;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Relay;

/// <summary>
/// Accepts the messages of one partition, in the order in which they were posted: one script call is under way at a time, and what arrives meanwhile
/// shares the next one. When a call fails, everything that waits fails with it: a later message of a sender must not overtake an earlier one.
/// </summary>
internal sealed class AcceptLane(int partition, IDatabase database, RedisKeys keys, string script)
{
    private const int MaxBatch = 128;

    /// <summary>The script's answer to a message whose file is held no more.</summary>
    private const string FileGone = "gone";

    private readonly Lock _gate = new();
    private List<Pending> _waiting = [];
    private bool _running;

    public Task<Acceptance> PostAsync(MessageDraft draft)
    {
        var pending = new Pending(draft);
        lock (_gate)
        {
            _waiting.Add(pending);
            if (_running)
            {
                return pending.Task;
            }

            _running = true;
        }

        _ = RunAsync();
        return pending.Task;
    }

    private async Task RunAsync()
    {
        while (Take() is { } batch)
        {
            try
            {
                var answers = await CallAsync(batch);
                for (var index = 0; index < batch.Count; index++)
                {
                    if (answers[index] == FileGone)
                    {
                        batch[index].SetException(new RelayUnavailableException("The message's file is held no more."));
                        continue;
                    }

                    batch[index].SetResult(Parse(answers[index]));
                }
            }
            catch (Exception exception)
            {
                // Also a defect of ours must not leave the lane standing.
                var unavailable = exception as RelayUnavailableException ?? new("The accept step failed.", exception);
                foreach (var pending in batch.Concat(TakeAll()))
                {
                    pending.SetException(unavailable);
                }
            }
        }
    }

    private async Task<string[]> CallAsync(List<Pending> batch)
    {
        var files = batch.Where(pending => pending.Draft.File is not null).Select(pending => (RedisKey)RedisKeys.File(pending.Draft.File!.Id)).ToArray();
        var names = new RedisKey[1 + (3 * batch.Count) + files.Length];
        var values = new RedisValue[7 + (9 * batch.Count)];
        files.CopyTo(names, 1 + (3 * batch.Count));
        names[0] = RedisKeys.Outbox(partition);
        values[0] = Epoch.New();
        values[1] = RelayLimits.LogMessages;
        values[2] = (long)RelayLimits.LogAge.TotalSeconds;
        values[3] = (long)RelayLimits.IdentifierAge.TotalSeconds;
        values[4] = "PUBLISH";
        values[5] = RedisKeys.OutboxFilled;
        values[6] = partition;
        for (var index = 0; index < batch.Count; index++)
        {
            var draft = batch[index].Draft;
            names[1 + (3 * index)] = keys.Room(draft.Room);
            names[2 + (3 * index)] = keys.Log(draft.Room);
            names[3 + (3 * index)] = keys.Identifier(draft.Room, draft.UserId, draft.Identifier);
            var first = 7 + (9 * index);
            values[first] = keys.RoomChannel(draft.Room);
            values[first + 1] = draft.Head;
            values[first + 2] = draft.Tail;
            values[first + 3] = RelayPayload.Connection(draft.Origin);
            values[first + 4] = draft.Timestamp;
            values[first + 5] = draft.TokenKey;
            values[first + 6] = draft.Seen.Epoch ?? "";
            values[first + 7] = draft.Seen.Seq;
            values[first + 8] = draft.File is { } file ? (long)file.Retention.TotalSeconds : 0;
        }

        return (string[])(await RedisCalls.TryAsync(() => database.ScriptEvaluateAsync(script, names, values)))!;
    }

    /// <summary>Reads the script's answer, which is also what an identifier's key holds.</summary>
    public static Acceptance Parse(string answer)
    {
        var parts = answer.Split(' ');
        return new(long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1], parts[2], parts.Length > 3);
    }

    private List<Pending>? Take()
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
                _waiting = [];
                return batch;
            }

            _waiting = batch[MaxBatch..];
            return batch[..MaxBatch];
        }
    }

    private List<Pending> TakeAll()
    {
        lock (_gate)
        {
            var all = _waiting;
            _waiting = [];
            return all;
        }
    }

    private sealed class Pending(MessageDraft draft) : TaskCompletionSource<Acceptance>(TaskCreationOptions.RunContinuationsAsynchronously)
    {
        public MessageDraft Draft => draft;
    }
}
