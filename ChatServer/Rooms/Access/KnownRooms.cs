using ChatServer.Protocol;

namespace ChatServer.Rooms.Access;

/// <summary>
/// The rooms of which something about their members is known, bounded in what they take of the memory: those for which something was kept
/// longest ago go first. The lists' lock guards it.
/// </summary>
internal sealed class KnownRooms(TimeProvider time)
{
    private readonly Dictionary<RoomKey, LinkedListNode<KnownMembers>> _rooms = [];

    /// <summary>Those for which something was kept last come last.</summary>
    private readonly LinkedList<KnownMembers> _byAge = new();
    private long _weight;

    /// <summary>The latest change of a room that is no longer remembered.</summary>
    private long _forgottenChange;

    public int Count => _rooms.Count;

    public KnownMembers? Find(RoomKey room) => _rooms.GetValueOrDefault(room)?.Value;

    /// <summary>What is known of a room; nothing yet if nobody has asked for it.</summary>
    public KnownMembers Of(RoomKey room)
    {
        if (Find(room) is { } known)
        {
            return known;
        }

        known = new(room, _forgottenChange);
        _rooms[room] = _byAge.AddLast(known);
        Kept(known);
        return known;
    }

    /// <summary>The moment of a room's last change; of any room's, if it is not known.</summary>
    public long ChangeOf(RoomKey room) => Find(room)?.ChangedAt ?? _forgottenChange;

    /// <summary>What is known of a room takes more or less than before.</summary>
    public void Weigh(KnownMembers known)
    {
        _weight += known.Weight - known.Counted;
        known.Counted = known.Weight;
    }

    /// <summary>Something was kept of a room: it is the last one now to be forgotten.</summary>
    public void Kept(KnownMembers known)
    {
        Weigh(known);
        known.KeptAt = time.GetTimestamp();
        if (_rooms.TryGetValue(known.Room, out var node))
        {
            _byAge.Remove(node);
            _byAge.AddLast(node);
        }

        Sweep();
    }

    /// <summary>
    /// Removes the oldest, as far as they are no longer of use or there is too much: a few each time, so that nobody waits for it.
    /// </summary>
    private void Sweep()
    {
        for (var removed = 0; removed < RoomAccessOptions.SweptAtOnce && _byAge.Count > 1; removed++)
        {
            var oldest = _byAge.First!.Value;
            if (time.GetElapsedTime(oldest.KeptAt) < RoomAccessOptions.Usable && _weight <= RoomAccessOptions.MaxKeptUsers)
            {
                return;
            }

            // What is under way there counts as from before a change: it is asked again.
            _forgottenChange = Math.Max(_forgottenChange, oldest.ChangedAt);
            _weight -= oldest.Counted;
            _byAge.RemoveFirst();
            _rooms.Remove(oldest.Room);
        }
    }
}
