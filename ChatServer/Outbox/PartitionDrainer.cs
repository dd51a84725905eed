using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Reads what one partition's outbox holds, while this node has its lease, and has it saved: a room's messages one after the other in seq
/// order, rooms side by side.
/// </summary>
internal sealed partial class PartitionDrainer(
    int partition, IOutbox outbox, OutboxEntryProcessor processor, TimeProvider time, ILogger<PartitionDrainer> logger) : IDisposable
{
    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<RoomKey, Queue<PendingSave>> _rooms = [];
    private readonly Lock _gate = new();
    private int _inHand;
    private string _last = "";
    private bool _disposed;

    /// <summary>There may be something to read.</summary>
    public void Wake()
    {
        lock (_gate)
        {
            if (!_disposed && _wake.CurrentCount == 0)
            {
                _wake.Release();
            }
        }
    }

    /// <summary>After <see cref="RunAsync"/> has ended. A late <see cref="Wake"/> does nothing.</summary>
    public void Dispose()
    {
        lock (_gate)
        {
            _disposed = true;
            _wake.Dispose();
        }
    }

    /// <summary>Drains until it is cancelled, and returns when nothing is under way any more.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var saving = new HashSet<Task>();
        await RedisRetry.UntilDoneAsync(
            () => DrainAsync(saving, cancellation), OutboxEntryProcessor.NextPause, time,
            exception => Log.Waiting(logger, exception, partition), cancellation);
        await Task.WhenAll(saving);
    }

    private async Task DrainAsync(HashSet<Task> saving, CancellationToken cancellation)
    {
        while (!cancellation.IsCancellationRequested)
        {
            var space = SpaceForMore();
            var entries = space == 0 ? [] : await outbox.ReadAsync(partition, _last, space);
            foreach (var entry in entries)
            {
                _last = entry.Id;
                if (await TryReadAsync(entry) is { } pending && Enqueue(pending))
                {
                    saving.Add(SaveRoomAsync(pending.Message.Room, cancellation));
                }
            }

            saving.RemoveWhere(task => task.IsCompleted);
            if (entries.Count == 0)
            {
                await _wake.WaitAsync(Volatile.Read(ref _inHand) > 0 ? OutboxOptions.LookSoon : OutboxOptions.LookAgain, cancellation);
            }
        }
    }

    /// <returns>How many entries may be read now.</returns>
    private int SpaceForMore()
    {
        lock (_gate)
        {
            return _inHand < OutboxOptions.EnoughInHand || processor.InTrouble == _rooms.Count
                ? Math.Min(OutboxOptions.PageEntries, OutboxOptions.MaxInHand - _inHand)
                : 0;
        }
    }

    /// <returns>Null if no ChatServer wrote the entry: it becomes a dead letter, so that it holds up nobody.</returns>
    private async ValueTask<PendingSave?> TryReadAsync(OutboxEntry entry)
    {
        try
        {
            return new(entry, StoredMessage.Read(entry.Message.Span));
        }
        catch (JsonException exception)
        {
            Log.Unreadable(logger, exception, partition, entry.Id);
            await outbox.MoveToDeadLettersAsync(partition, entry, "It can't be read.");
            return null;
        }
    }

    /// <returns>Whether nobody saves the room's messages yet.</returns>
    private bool Enqueue(PendingSave pending)
    {
        var key = pending.Message.Room;
        lock (_gate)
        {
            _inHand++;
            if (_rooms.TryGetValue(key, out var queue))
            {
                queue.Enqueue(pending);
                return false;
            }

            _rooms[key] = new([pending]);
            return true;
        }
    }

    private async Task SaveRoomAsync(RoomKey key, CancellationToken cancellation)
    {
        while (Peek(key) is { } pending)
        {
            if (!await processor.SaveAsync(pending, cancellation))
            {
                return;
            }

            Dequeue(key);
        }
    }

    private PendingSave? Peek(RoomKey key)
    {
        lock (_gate)
        {
            if (_rooms[key].TryPeek(out var pending))
            {
                return pending;
            }

            _rooms.Remove(key);
            return null;
        }
    }

    private void Dequeue(RoomKey key)
    {
        lock (_gate)
        {
            _rooms[key].Dequeue();
            _inHand--;
            if (_inHand is 0 or OutboxOptions.EnoughInHand - 1)
            {
                // Nobody calls "filled" for what was accepted while the outbox still held these, and there is space for more now.
                Wake();
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(910, LogLevel.Warning, "Outbox {Partition}: Redis is out of reach; its messages wait.")]
        public static partial void Waiting(ILogger logger, Exception exception, int partition);

        [LoggerMessage(911, LogLevel.Error, "Outbox {Partition}: entry {Entry} cannot be read and is a dead letter now.")]
        public static partial void Unreadable(ILogger logger, Exception exception, int partition, string entry);
    }
}
