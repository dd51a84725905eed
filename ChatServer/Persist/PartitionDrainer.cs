using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Persist;

/// <summary>
/// Reads what one partition's outbox holds, while this node has its lease, and has it saved: a room's messages one after the other in seq order, rooms side by side.
/// </summary>
internal sealed partial class PartitionDrainer(int partition, IOutbox outbox, EntrySaver saver, ILogger logger) : IDisposable
{
    private const int PageEntries = 128;

    /// <summary>Entries in memory at which no more are read, unless no room in hand gets on.</summary>
    private const int Enough = 64;

    /// <summary>Entries in memory at once; more wait in the outbox.</summary>
    private const int MaxInHand = 1024;

    /// <summary>How long a missed "filled" call can hold up a save.</summary>
    private static readonly TimeSpan LookAgain = TimeSpan.FromSeconds(2);

    /// <summary>While an entry is in hand the outbox is not empty, and nobody tells when more comes.</summary>
    private static readonly TimeSpan LookSoon = TimeSpan.FromMilliseconds(100);

    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<RoomKey, Queue<PendingSave>> _rooms = [];
    private readonly Lock _gate = new();
    private int _inHand;
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
        var last = "";
        var saving = new HashSet<Task>();
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var room = RoomForMore();
                var entries = room == 0 ? [] : await outbox.ReadAsync(partition, last, room);
                foreach (var entry in entries)
                {
                    last = entry.Id;
                    if (await TryReadAsync(entry) is { } pending && Enqueue(pending))
                    {
                        saving.Add(SaveRoomAsync(pending.Message.Room, cancellation));
                    }
                }

                saving.RemoveWhere(task => task.IsCompleted);
                if (entries.Count == 0)
                {
                    await _wake.WaitAsync(Volatile.Read(ref _inHand) > 0 ? LookSoon : LookAgain, cancellation);
                }
            }
            catch (RelayUnavailableException exception)
            {
                LogWaiting(exception, partition);
                await saver.PauseAsync(cancellation);
            }
            catch (OperationCanceledException)
            {
                // The lease has gone or the node stops.
            }
        }

        await Task.WhenAll(saving);
    }

    /// <returns>How many entries may be read now.</returns>
    private int RoomForMore()
    {
        lock (_gate)
        {
            return _inHand < Enough || saver.InTrouble == _rooms.Count ? Math.Min(PageEntries, MaxInHand - _inHand) : 0;
        }
    }

    /// <returns>Null where the entry is none that a ChatServer wrote: it is buried, so that it holds up nobody.</returns>
    private async ValueTask<PendingSave?> TryReadAsync(OutboxEntry entry)
    {
        try
        {
            return new(entry, StoredMessage.Read(entry.Message.Span));
        }
        catch (JsonException exception)
        {
            LogUnreadable(exception, partition, entry.Id);
            await outbox.BuryAsync(partition, entry, "It can't be read.");
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
            if (!await saver.SaveAsync(pending, cancellation))
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
            if (_inHand is 0 or Enough - 1)
            {
                // Nobody calls "filled" for what was accepted while the outbox still held these, and there is space for more now.
                Wake();
            }
        }
    }

    [LoggerMessage(510, LogLevel.Warning, "Outbox {Partition}: Redis is out of reach, its messages wait.")]
    private partial void LogWaiting(Exception exception, int partition);

    [LoggerMessage(512, LogLevel.Error, "Outbox {Partition}: entry {Entry} can't be read and is a dead letter now.")]
    private partial void LogUnreadable(Exception exception, int partition, string entry);
}
