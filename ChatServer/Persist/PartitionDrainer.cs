using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Persist;

/// <summary>
/// Saves what one partition's outbox holds, while this node has its lease: a room's messages one after the other in seq order, rooms side by side.
/// </summary>
/// <param name="slots">Bounds the saves that are under way on the whole node.</param>
internal sealed partial class PartitionDrainer(int partition, IOutbox outbox, Saver saver, SaveSlots slots, PersistOptions options, TimeProvider time, ILogger logger) : IDisposable
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
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _wake = new(0, 1);
    private readonly Dictionary<RoomKey, Queue<OutboxEntry>> _rooms = [];
    private readonly Lock _gate = new();
    private int _inHand;
    private int _roomsInTrouble;
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
                    if (await RoomOfAsync(entry) is { } key && Enqueue(key, entry))
                    {
                        saving.Add(SaveRoomAsync(key, cancellation));
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
                await PauseAsync(cancellation);
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
            return _inHand < Enough || _roomsInTrouble == _rooms.Count ? Math.Min(PageEntries, MaxInHand - _inHand) : 0;
        }
    }

    /// <returns>Null where the entry is none that a ChatServer wrote: it is buried, so that it holds up nobody.</returns>
    private async ValueTask<RoomKey?> RoomOfAsync(OutboxEntry entry)
    {
        try
        {
            return StoredMessage.Read(entry.Message.Span).Room;
        }
        catch (JsonException exception)
        {
            LogUnreadable(exception, partition, entry.Id);
            await outbox.BuryAsync(partition, entry, "It can't be read.");
            return null;
        }
    }

    /// <returns>Whether nobody saves the room's messages yet.</returns>
    private bool Enqueue(RoomKey key, OutboxEntry entry)
    {
        lock (_gate)
        {
            _inHand++;
            if (_rooms.TryGetValue(key, out var queue))
            {
                queue.Enqueue(entry);
                return false;
            }

            _rooms[key] = new([entry]);
            return true;
        }
    }

    private async Task SaveRoomAsync(RoomKey key, CancellationToken cancellation)
    {
        while (Peek(key) is { } entry)
        {
            if (!await SaveAsync(entry, cancellation))
            {
                return;
            }

            Dequeue(key);
        }
    }

    /// <returns>False where it was cancelled: the entry stays for whoever drains next.</returns>
    private async Task<bool> SaveAsync(OutboxEntry entry, CancellationToken cancellation)
    {
        var attempts = 0;
        var othersSaved = slots.Saved;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var (refusal, told) = await SaveInSlotAsync(entry, cancellation);
                if (refusal is { } why)
                {
                    if (await TryBuryAsync(entry, why))
                    {
                        return true;
                    }

                    await PauseInTroubleAsync(cancellation);
                    continue;
                }

                // Both in one trip.
                await Task.WhenAll(told, outbox.RemoveAsync(partition, entry.Id).AsTask());
                return true;
            }
            catch (QuantumUnavailableException exception)
            {
                LogPostponed(exception, partition, entry.Id);
                if (exception.WasAsked && slots.Saved != othersSaved)
                {
                    // Quantum saves others: the trouble is with this message.
                    othersSaved = slots.Saved;
                    attempts += QuantumPipelines.TriesPerSave;
                }

                if (attempts >= options.Attempts && await TryBuryAsync(entry, $"It failed {attempts} times while others were saved: {exception.Message}"))
                {
                    return true;
                }

                await PauseInTroubleAsync(cancellation);
            }
            catch (RelayUnavailableException exception)
            {
                LogPostponed(exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return false;
            }
            catch (Exception exception)
            {
                // A defect of ours: the room must not be forgotten for it, and it must be seen.
                LogFailed(exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
        }

        return false;
    }

    private async Task<SaveResult> SaveInSlotAsync(OutboxEntry entry, CancellationToken cancellation)
    {
        await slots.TakeAsync(cancellation);
        bool? wentWell = null;
        try
        {
            var result = await saver.SaveAsync(entry, cancellation);
            wentWell = true;
            return result;
        }
        catch (QuantumUnavailableException)
        {
            wentWell = false;
            throw;
        }
        finally
        {
            slots.Release(wentWell);
        }
    }

    private async Task<bool> TryBuryAsync(OutboxEntry entry, string why)
    {
        try
        {
            await outbox.BuryAsync(partition, entry, why);
            await saver.TellRefusedAsync(entry, why);
            return true;
        }
        catch (RelayUnavailableException exception)
        {
            LogPostponed(exception, partition, entry.Id);
            return false;
        }
    }

    private OutboxEntry? Peek(RoomKey key)
    {
        lock (_gate)
        {
            if (_rooms[key].TryPeek(out var entry))
            {
                return entry;
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

    /// <summary>Meanwhile this room's messages are no reason to read no others.</summary>
    private async Task PauseInTroubleAsync(CancellationToken cancellation)
    {
        lock (_gate)
        {
            _roomsInTrouble++;
        }

        await PauseAsync(cancellation);
        lock (_gate)
        {
            _roomsInTrouble--;
        }
    }

    private async Task PauseAsync(CancellationToken cancellation) =>
        await Task.Delay(PauseAfterFailure * (0.5 + Random.Shared.NextDouble()), time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    [LoggerMessage(510, LogLevel.Warning, "Outbox {Partition}: Redis is out of reach, its messages wait.")]
    private partial void LogWaiting(Exception exception, int partition);

    [LoggerMessage(512, LogLevel.Error, "Outbox {Partition}: entry {Entry} can't be read and is a dead letter now.")]
    private partial void LogUnreadable(Exception exception, int partition, string entry);

    [LoggerMessage(513, LogLevel.Error, "Outbox {Partition}: message {Entry} failed for a reason that lies here, and is tried again.")]
    private partial void LogFailed(Exception exception, int partition, string entry);

    [LoggerMessage(511, LogLevel.Warning, "Outbox {Partition}: message {Entry} can't be saved now and is tried again.")]
    private partial void LogPostponed(Exception exception, int partition, string entry);
}
