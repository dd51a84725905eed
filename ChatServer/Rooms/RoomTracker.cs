using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Rooms;

/// <summary>
/// Brings a room that has lost track up to date from the log: a gap that does not close by itself, a new epoch, an interrupted
/// subscription. Most gaps are two copies overtaking each other; what is still missing after <see cref="RoomOptions.GapPatience"/> was lost
/// on the way.
/// </summary>
internal sealed partial class RoomTracker(IBackplane backplane, TimeProvider time, ILogger<RoomTracker> logger)
{
    /// <summary>For a room that has lost track; runs in the background until the room has caught up.</summary>
    public void Track(Room room) => _ = TrackAsync(room);

    /// <summary>Reads what a room may have missed.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public async Task CatchUpAsync(Room room)
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("gap"))
        {
            return;
        }

#endif
        RoomPosition before;
        RoomMark asked;
        LogPage page;
        do
        {
            asked = room.Mark;
            before = asked.Position;
            page = await backplane.ReadAsync(room.Key, before.Seq, RoomOptions.CatchUpPageMessages, before.Epoch);
        }
        while (!room.Merge(page, asked));

        var now = room.Position;
        if (now.Seq != before.Seq || now.Epoch != before.Epoch)
        {
            Log.CaughtUp(logger, room.Key.CompanyId, room.Key.RoomId, before.Seq, now.Seq);
        }
    }

    /// <summary>
    /// Catches up, however long Redis is out of reach. Meanwhile what lies beyond a gap waits: nothing is delivered out of order. Where
    /// anything else goes wrong, tries again and again in the background, and the caller goes on.
    /// </summary>
    public async Task CatchUpPatientlyAsync(Room room)
    {
        if (!await TryCatchUpAsync(room))
        {
            room.LoseTrack();
        }
    }

    private async Task TrackAsync(Room room)
    {
        var pause = RoomOptions.GapPatience;
        do
        {
            await Task.Delay(pause, time);
            pause = !room.HasLostTrack || await TryCatchUpAsync(room) ? RoomOptions.GapPatience : RoomOptions.TroublePause;
        }
        while (!room.TryEndTracking(giveUp: pause == RoomOptions.TroublePause));
    }

    /// <returns>False if something else went wrong than that Redis is out of reach.</returns>
    private async Task<bool> TryCatchUpAsync(Room room)
    {
        try
        {
            await RedisRetry.UntilDoneAsync(
                () => CatchUpAsync(room), () => RoomOptions.GapPatience, time,
                exception => Log.Waiting(logger, exception, room.Key.CompanyId, room.Key.RoomId));
            return true;
        }
        catch (Exception exception)
        {
            // Nobody awaits this: a bug of ours must be seen, and must not leave the room without its missing messages for good.
            Log.Failed(logger, exception, room.Key.CompanyId, room.Key.RoomId, RoomOptions.TroublePause.TotalSeconds);
            return false;
        }
    }

    private static partial class Log
    {
        [LoggerMessage(800, LogLevel.Information,
            "Room {CompanyId}/{RoomId}: the log had messages that the subscription had not delivered, from seq {From} to "
            + "{To}.")]
        public static partial void CaughtUp(ILogger logger, long companyId, long roomId, long from, long to);

        [LoggerMessage(801, LogLevel.Warning,
            "Room {CompanyId}/{RoomId}: missing messages cannot be read from Redis now; the node keeps trying.")]
        public static partial void Waiting(ILogger logger, Exception exception, long companyId, long roomId);

        [LoggerMessage(802, LogLevel.Error,
            "Room {CompanyId}/{RoomId}: unexpected error while missing messages were read; it is tried again in {Seconds} s.")]
        public static partial void Failed(ILogger logger, Exception exception, long companyId, long roomId, double seconds);
    }
}
