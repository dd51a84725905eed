using ChatServer.Outbox;
using ChatServer.Redis.Subscriptions;

namespace ChatServer.Embedded;

/// <summary>The outbox of the embedded default: one partition, one node, nothing survives a restart.</summary>
internal sealed class MemoryOutbox : IOutbox
{
    private readonly Lock _gate = new();
    private readonly SortedList<EntryId, OutboxEntry> _entries = [];
    private Action<int>? _filled;
    private ulong _last;
    private long _dead;

    public int Partitions => 1;

    public void Add(ReadOnlyMemory<byte> message, string tokenKey)
    {
        bool wasEmpty;
        lock (_gate)
        {
            wasEmpty = _entries.Count == 0;
            _last++;
            var id = new EntryId(_last, 0);
            _entries.Add(id, new(id.ToString(), message, tokenKey));
        }

        if (wasEmpty)
        {
            _filled?.Invoke(0);
        }
    }

    public ValueTask<bool> TryLeaseAsync(int partition) => new(true);

    public ValueTask<IReadOnlyList<int>> FreeAsync() => new([0]);

    public ValueTask ReleaseAsync(int partition) => ValueTask.CompletedTask;

    public ValueTask<IReadOnlyList<OutboxEntry>> ReadAsync(int partition, string after, int count)
    {
        var last = after.Length == 0 ? default : EntryId.Parse(after);
        lock (_gate)
        {
            return new([.. _entries.Where(entry => entry.Key > last).Take(count).Select(entry => entry.Value)]);
        }
    }

    public ValueTask RemoveAsync(int partition, string entryId)
    {
        lock (_gate)
        {
            _entries.Remove(EntryId.Parse(entryId));
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Nobody could retry them later: dead letters are only counted here.</summary>
    public ValueTask MoveToDeadLettersAsync(int partition, OutboxEntry entry, string reason)
    {
        Interlocked.Increment(ref _dead);
        return RemoveAsync(partition, entry.Id);
    }

    public ValueTask<int> CountNodesAsync() => new(1);

    public ValueTask SignOffAsync() => ValueTask.CompletedTask;

    public ValueTask<OutboxSize> SizeAsync()
    {
        lock (_gate)
        {
            return new(new OutboxSize(_entries.Count, Volatile.Read(ref _dead)));
        }
    }

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled)
    {
        _filled += filled;
        return new(new Subscription(() => _filled -= filled));
    }
}
