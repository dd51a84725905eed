using System.Text.Json;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Reads one partition's outbox from its beginning to its end, past rooms that have more than a handful; what is not kept is read again
/// when its room has got that far. So a room with a large backlog hides no other one, and memory is bounded however much waits.
/// </summary>
/// <remarks>
/// A second reading begins where the room that needs it stands, and brings the rooms on its way their next entries too: an entry is read
/// about twice, not once for each room.
/// </remarks>
internal sealed partial class PartitionBacklog(int partition, IOutbox outbox, ILogger<PartitionBacklog> logger) : IDisposable
{
    private readonly SemaphoreSlim _reading = new(1);

    /// <summary>What has been read.</summary>
    public RoomTable Rooms { get; } = new();

    public void Dispose() => _reading.Dispose();

    /// <summary>Reads on.</summary>
    /// <returns>The rooms that had nothing before; null if there was nothing to read.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async Task<IReadOnlyList<RoomBacklog>?> ReadOnAsync(CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            var page = await ReadAsync(Rooms.WhereToReadOn());
            var added = new List<RoomBacklog>();
            foreach (var entry in page)
            {
                // An entry that can't be put aside now is met again.
                var pending = await ReadOrPutAsideAsync(entry);
                if (Rooms.Add(pending, EntryId.Parse(entry.Id)) is { } room)
                {
                    added.Add(room);
                }
            }

            return page.Count == 0 ? null : added;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>A room's next message.</summary>
    /// <returns>Null if it has none any more.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async ValueTask<PendingSave?> NextAsync(RoomBacklog room, CancellationToken cancellation)
    {
        if (Rooms.Next(room) is { } inHand)
        {
            return inHand;
        }

        await _reading.WaitAsync(cancellation);
        try
        {
            Rooms.BeginBringing();
            var from = room.After;
            for (var at = from; Rooms.Next(room) is null && BringOn(room, await ReadAsync(at), from) is { } reached;)
            {
                at = reached;
            }

            return Rooms.Next(room);
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <summary>
    /// Looks for entries that came in below what was read before, which an outbox without parked rooms finds by itself. Only as long as all
    /// rooms are parked, so that nothing is on its way out of the outbox.
    /// </summary>
    /// <returns>The rooms that had nothing before.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async Task<IReadOnlyList<RoomBacklog>> FindStraysAsync(CancellationToken cancellation)
    {
        await _reading.WaitAsync(cancellation);
        try
        {
            var found = new List<RoomBacklog>();
            var at = default(EntryId);
            for (var pages = 0; pages < OutboxOptions.PagesForStrays && at < Rooms.End; pages++)
            {
                var (moves, isParked) = (Rooms.Moves, Rooms.IsParked);
                foreach (var entry in isParked ? await ReadAsync(at) : [])
                {
                    at = EntryId.Parse(entry.Id);
                    if (!Rooms.TakeUp(Read(entry), at, moves, out var room))
                    {
                        return found;
                    }

                    if (room is not null)
                    {
                        found.Add(room);
                    }
                }
            }

            return found;
        }
        finally
        {
            _reading.Release();
        }
    }

    /// <returns>Up to where the page goes; null if there is nothing behind it.</returns>
    private EntryId? BringOn(RoomBacklog room, IReadOnlyList<OutboxEntry> page, EntryId from)
    {
        EntryId? reached = null;
        foreach (var entry in page)
        {
            var id = EntryId.Parse(entry.Id);
            if (!Rooms.Bring(room, Read(entry), id, from))
            {
                reached = null;
                break;
            }

            reached = id;
        }

        if (reached is null || reached >= Rooms.End)
        {
            Rooms.EndBringing(from);
            return null;
        }

        return reached;
    }

    private ValueTask<IReadOnlyList<OutboxEntry>> ReadAsync(EntryId after) =>
        outbox.ReadAsync(partition, after.ToString(), OutboxOptions.PageEntries);

    /// <returns>Null if no ChatServer wrote the entry: it becomes a dead letter, so that it holds up nobody.</returns>
    private async ValueTask<PendingSave?> ReadOrPutAsideAsync(OutboxEntry entry)
    {
        if (Read(entry) is { } pending)
        {
            return pending;
        }

        Log.Unreadable(logger, partition, entry.Id);
        await outbox.MoveToDeadLettersAsync(partition, entry, "It can't be read.");
        return null;
    }

    private static PendingSave? Read(OutboxEntry entry)
    {
        try
        {
            return new(entry, StoredMessage.Read(entry.Message.Span));
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(911, LogLevel.Error, "Outbox {Partition}: entry {Entry} cannot be read and is a dead letter now.")]
        public static partial void Unreadable(ILogger logger, int partition, string entry);
    }
}
