using System.Diagnostics.CodeAnalysis;
using ChatServer.Protocol;

namespace ChatServer.Outbox;

/// <summary>
/// The rooms that have something in one partition's outbox, as far as it has been read. What a reading of the outbox meets is handed to
/// its room if memory allows, and left to a later reading if not. One reading at a time; rooms come and go meanwhile.
/// </summary>
internal sealed class RoomTable
{
    private readonly Dictionary<RoomKey, RoomBacklog> _rooms = [];
    private readonly Lock _gate = new();
    private EntryId _end;
    private long _bytes;
    private long _reading;
    private long _moves;

    /// <summary>What lies behind has not been read yet.</summary>
    public EntryId End
    {
        get
        {
            lock (_gate)
            {
                return _end;
            }
        }
    }

    /// <summary>Whether all that was read is done.</summary>
    public bool IsEmpty
    {
        get
        {
            lock (_gate)
            {
                return _rooms.Count == 0;
            }
        }
    }

    /// <summary>Whether all that was read waits after a failure.</summary>
    public bool IsParked
    {
        get
        {
            lock (_gate)
            {
                return _rooms.Values.All(room => room.IsParked);
            }
        }
    }

    /// <summary>The bytes of all messages in hand.</summary>
    public long BytesInHand => Interlocked.Read(ref _bytes);

    /// <summary>Grows with everything that may take an entry out of the outbox.</summary>
    public long Moves => Interlocked.Read(ref _moves);

    /// <summary>
    /// Where to read on. Where nothing is under way, that is the beginning: what lies in the outbox is to be saved, also where it came in
    /// below what was read before.
    /// </summary>
    public EntryId WhereToReadOn()
    {
        lock (_gate)
        {
            return _end = _rooms.Count == 0 ? default : _end;
        }
    }

    /// <summary>The next entry behind <see cref="End"/>.</summary>
    /// <param name="pending">Null if it holds nothing for a room.</param>
    /// <returns>Its room, if that had nothing before.</returns>
    public RoomBacklog? Add(PendingSave? pending, EntryId id)
    {
        lock (_gate)
        {
            _end = id;
            if (pending is null)
            {
                return null;
            }

            var isNew = TryAddRoom(pending, out var room);
            if (!room.HasMore)
            {
                Hand(room, pending, id, atAnyRate: false);
            }

            return isNew ? room : null;
        }
    }

    /// <summary>Begins a reading that brings rooms on which have more than was in hand.</summary>
    public void BeginBringing() => Interlocked.Increment(ref _reading);

    /// <summary>An entry that a reading has met.</summary>
    /// <param name="wanted">The room for which the reading was begun: a full memory does not keep it from getting an entry.</param>
    /// <param name="from">Where the reading began.</param>
    /// <returns>False if the reading has come to <see cref="End"/>.</returns>
    public bool Bring(RoomBacklog wanted, PendingSave? pending, EntryId id, EntryId from)
    {
        lock (_gate)
        {
            if (id > _end)
            {
                return false;
            }

            if (pending is not null && _rooms.TryGetValue(pending.Message.Room, out var room)
                && MayBeBrought(room, from) && id > room.After)
            {
                Hand(room, pending, id, atAnyRate: room == wanted);
            }

            return true;
        }
    }

    /// <summary>A reading has come to <see cref="End"/>: rooms that it brought on have everything in hand.</summary>
    public void EndBringing(EntryId from)
    {
        lock (_gate)
        {
            foreach (var room in _rooms.Values.Where(room => MayBeBrought(room, from)))
            {
                room.HasAll();
            }
        }
    }

    /// <summary>An entry before <see cref="End"/>, which may have come in after that had been read.</summary>
    /// <param name="moves">As it was before the entry was read.</param>
    /// <param name="added">Its room, if that had nothing before.</param>
    /// <returns>False if the entry may be out of the outbox by now, or has not been read before.</returns>
    public bool TakeUp(PendingSave? pending, EntryId id, long moves, out RoomBacklog? added)
    {
        added = null;
        lock (_gate)
        {
            if (_moves != moves || id > _end)
            {
                return false;
            }

            if (pending is null)
            {
                return true;
            }

            if (TryAddRoom(pending, out var room))
            {
                added = room;
                room.Leave(pending, id);
            }
            else if (room.IsParked && id <= room.After)
            {
                room.Leave(pending, id);
            }

            return true;
        }
    }

    /// <summary>A room's next message, if it is in hand.</summary>
    public PendingSave? Next(RoomBacklog room)
    {
        lock (_gate)
        {
            return room.Next;
        }
    }

    /// <summary>A room's next message is out of the outbox.</summary>
    public void Done(RoomBacklog room)
    {
        lock (_gate)
        {
            _bytes -= room.Done();
            _moves++;
        }
    }

    /// <summary>Ends with a room that has nothing any more.</summary>
    public bool TryFinish(RoomBacklog room)
    {
        lock (_gate)
        {
            return room is { Next: null, HasMore: false } && _rooms.Remove(room.Key);
        }
    }

    /// <summary>A room is going to wait: it keeps nothing in hand meanwhile.</summary>
    public void Park(RoomBacklog room)
    {
        lock (_gate)
        {
            _bytes -= room.LetGo();
            (room.IsParked, room.PassedBy) = (true, _reading);
        }
    }

    public void Unpark(RoomBacklog room)
    {
        lock (_gate)
        {
            // A reading that is under way may have met entries of the room while it was parked.
            (room.IsParked, room.PassedBy) = (false, _reading);
            _moves++;
        }
    }

    private bool TryAddRoom(PendingSave pending, [NotNull] out RoomBacklog? room)
    {
        var key = pending.Message.Room;
        if (_rooms.TryGetValue(key, out room))
        {
            return false;
        }

        _rooms[key] = room = new(key);
        return true;
    }

    /// <summary>Gives a room its next entry, or leaves it where it is.</summary>
    private void Hand(RoomBacklog room, PendingSave pending, EntryId id, bool atAnyRate)
    {
        if ((atAnyRate && room.Next is null)
            || (!room.IsFull && !room.IsParked && _bytes + pending.Size <= OutboxOptions.MaxBytesInHand))
        {
            room.Take(pending, id);
            _bytes += pending.Size;
        }
        else
        {
            room.Leave(pending, id);
            room.PassedBy = _reading;
        }
    }

    /// <summary>Only if this reading has met every entry behind those that the room has in hand.</summary>
    private bool MayBeBrought(RoomBacklog room, EntryId from) =>
        room is { HasMore: true, IsParked: false } && room.PassedBy != _reading && from <= room.After;
}
