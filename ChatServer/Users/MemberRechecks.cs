using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Users;

/// <summary>
/// Asks again who is a member of rooms in which somebody is on this node, and puts out who no longer is. A few rooms at a time, beside
/// whoever calls; a room that is named again while it waits is asked for once. While Quantum is out of reach everybody stays, and it is
/// asked again until it has answered.
/// </summary>
internal sealed partial class MemberRechecks
{
    private readonly MemberLists _lists;
    private readonly RoomAccess _access;
    private readonly RoomDirectory _rooms;
    private readonly TimeProvider _time;
    private readonly ILogger<MemberRechecks> _logger;
    private readonly Lock _gate = new();

    /// <summary>Rooms in <see cref="_queue"/>, each once.</summary>
    private readonly HashSet<RoomKey> _waiting = [];
    private readonly Queue<RoomKey> _queue = [];

    /// <summary>Rooms for which Quantum did not answer.</summary>
    private readonly HashSet<RoomKey> _later = [];
    private int _workers;

    public MemberRechecks(
        IBackplane backplane, MemberLists lists, RoomAccess access, RoomDirectory rooms, TimeProvider time, ILogger<MemberRechecks> logger)
    {
        (_lists, _access, _rooms, _time, _logger) = (lists, access, rooms, time, logger);
        lists.WhenOutdated(Add);
        backplane.WhenRestored(DoubtAll);
    }

    /// <summary>Quantum says that a room's members have changed.</summary>
    public void MembersChanged(RoomKey room)
    {
        _lists.Drop(room);
        Add(room);
    }

    /// <summary>
    /// Changes may have been announced that did not come here: no list counts as fresh any more, and all rooms are asked for.
    /// </summary>
    public void DoubtAll()
    {
        _lists.Doubt();
        _ = AddAllAsync();
    }

    private async Task AddAllAsync()
    {
        // Not on the thread that hears all rooms: there may be many.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        foreach (var room in _rooms.Keys)
        {
            Add(room);
        }
    }

    private void Add(RoomKey room)
    {
        // Who is coming in has a permit, which the change has ended.
        if (!_rooms.Has(room))
        {
            return;
        }

        lock (_gate)
        {
            if (!_waiting.Add(room))
            {
                return;
            }

            _queue.Enqueue(room);
            if (_workers == RoomAccessOptions.RechecksAtOnce)
            {
                return;
            }

            _workers++;
        }

        _ = WorkAsync();
    }

    private async Task WorkAsync()
    {
        // Not on the thread that hears all rooms.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (TryNext(out var room))
        {
            try
            {
                if (!await RecheckAsync(room))
                {
                    AddLater(room);
                }
            }
            catch (Exception exception)
            {
                // A bug of ours must be seen, and must not leave the other rooms without their turn.
                Log.Failed(_logger, exception, room.CompanyId, room.RoomId);
            }
        }
    }

    private bool TryNext(out RoomKey room)
    {
        lock (_gate)
        {
            if (_queue.TryDequeue(out room))
            {
                // A change from here on needs another look.
                return _waiting.Remove(room);
            }

            _workers--;
            return false;
        }
    }

    /// <returns>False if Quantum has not answered.</returns>
    private async Task<bool> RecheckAsync(RoomKey room)
    {
        foreach (var member in _rooms.MembersOf(room))
        {
            var caller = member.Connection.Caller!;
            if (member.HasLeft)
            {
                continue;
            }

            var answer = await _access.CheckAsync(caller, room.RoomId);
            if (!_access.IsCertain(caller, room.RoomId))
            {
                return false;
            }

            if (answer == RoomAnswer.Forbidden)
            {
#if FAULT_INJECTION
                if (FaultInjection.Disables("removal"))
                {
                    member.Connection.Send(RoomFrames.Removed(room.RoomId));
                    continue;
                }

#endif
                _rooms.Leave(member, RoomFrames.Removed(room.RoomId));
            }
        }

        return true;
    }

    private void AddLater(RoomKey room)
    {
        lock (_gate)
        {
            if (!_later.Add(room) || _later.Count > 1)
            {
                return;
            }
        }

        _ = AddWaitingAsync();
    }

    private async Task AddWaitingAsync()
    {
        await Task.Delay(RoomAccessOptions.RecheckPause, _time);
        RoomKey[] rooms;
        lock (_gate)
        {
            rooms = [.. _later];
            _later.Clear();
        }

        foreach (var room in rooms)
        {
            Add(room);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1040, LogLevel.Error,
            "Room {CompanyId}/{RoomId}: unexpected error while its members were looked at again; former ones may still be in.")]
        public static partial void Failed(ILogger logger, Exception exception, long companyId, long roomId);
    }
}
