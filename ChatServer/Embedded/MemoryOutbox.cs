using System.Globalization;
using System.Runtime.InteropServices;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis.Subscriptions;

namespace ChatServer.Embedded;

/// <summary>The outbox of the embedded default: one lane, one node, nothing survives a restart.</summary>
internal sealed class MemoryOutbox(TimeProvider time) : IOutbox
{
    /// <summary>Nothing is ever lost here, so there is one numbering.</summary>
    private const string Epoch = "memory";

    private readonly Lock _gate = new();
    private readonly Dictionary<RoomKey, Unsaved> _rooms = [];
    private Action<int, RoomKey>? _filled;
    private long _dead;

    /// <summary>Tells a user something.</summary>
    public Action<long, ReadOnlyMemory<byte>> Tell { get; set; } = (_, _) => { };

    public int Lanes => 1;

    /// <summary>A message of a room has been accepted.</summary>
    public void Add(RoomKey room, long seq, ReadOnlyMemory<byte> json)
    {
        bool hadSomething;
        lock (_gate)
        {
            var since = time.GetUtcNow().ToUnixTimeMilliseconds();
            var unsaved = CollectionsMarshal.GetValueRefOrAddDefault(_rooms, room, out hadSomething) ??= new(since);
            unsaved.Messages.Enqueue(new(seq.ToString(CultureInfo.InvariantCulture), seq, json, StoredMessage.Read(json.Span)));
        }

        if (!hadSomething)
        {
            _filled?.Invoke(0, room);
        }
    }

    public ValueTask<bool> TryLeaseAsync(int lane) => new(true);

    public ValueTask<IReadOnlyList<int>> FreeAsync() => new([0]);

    public ValueTask ReleaseAsync(int lane) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int lane)
    {
        lock (_gate)
        {
            return new([.. _rooms.Select(room => new UnsavedRoom(room.Key, room.Value.Since)).OrderBy(unsaved => unsaved.Since)]);
        }
    }

    /// <summary>Nobody could retry dead letters later: they are only counted here.</summary>
    public ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn)
    {
        var page = Settle(room, done, readOn);
        foreach (var (user, json) in done.Told)
        {
            Tell(user, json);
        }

        return new(page);
    }

    public async IAsyncEnumerable<FileId> WaitingFilesAsync(int lane)
    {
        List<FileId> files;
        lock (_gate)
        {
            files = [.. _rooms.Values.SelectMany(unsaved => unsaved.Messages)
                .Select(pending => FileId.TryParse(pending.Message?.File?.Id ?? "", out var id) ? id : (FileId?)null).OfType<FileId>()];
        }

        foreach (var file in files)
        {
            yield return await ValueTask.FromResult(file);
        }
    }

    /// <summary>There was none.</summary>
    public ValueTask TakeOverFormerAsync(int lane) => ValueTask.CompletedTask;

    public ValueTask<int> CountNodesAsync() => new(1);

    public ValueTask SignOffAsync() => ValueTask.CompletedTask;

    public ValueTask<OutboxSize> SizeAsync()
    {
        lock (_gate)
        {
            return new(new OutboxSize(
                _rooms.Values.Sum(room => (long)room.Messages.Count), _dead,
                _rooms.Count == 0 ? null : DateTimeOffset.FromUnixTimeMilliseconds(_rooms.Values.Min(room => room.Since))));
        }
    }

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int, RoomKey> filled, Action restored)
    {
        _filled += filled;
        return new(new Subscription(() => _filled -= filled));
    }

    private RoomPage Settle(RoomKey room, Settlement done, bool readOn)
    {
        lock (_gate)
        {
            if (!_rooms.TryGetValue(room, out var unsaved))
            {
                return RoomPage.Nothing;
            }

            while (unsaved.Messages.TryPeek(out var first) && first.Seq <= done.UpTo)
            {
                unsaved.Messages.Dequeue();
                _dead += done.Dead.Any(letter => letter.Place == first.Place) ? 1 : 0;
            }

            if (unsaved.Messages.Count == 0)
            {
                _rooms.Remove(room);
            }
            else if (done.UpTo > 0)
            {
                unsaved.Since = time.GetUtcNow().ToUnixTimeMilliseconds();
            }

            return new(Epoch, readOn ? Page(unsaved.Messages) : [], HasMore: unsaved.Messages.Count > 0);
        }
    }

    private static List<PendingSave> Page(IEnumerable<PendingSave> messages)
    {
        var page = new List<PendingSave>();
        var bytes = 0;
        foreach (var pending in messages)
        {
            if (bytes >= OutboxOptions.PageBytes)
            {
                break;
            }

            page.Add(pending);
            bytes += pending.Json.Length;
        }

        return page;
    }

    private sealed class Unsaved(long since)
    {
        public long Since { get; set; } = since;

        public Queue<PendingSave> Messages { get; } = new();
    }
}
