using ChatServer.Protocol;
using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// Brings a room that has lost track back to the log's truth: a gap that does not close by itself, a new epoch, an interrupted subscription.
/// Most gaps are two copies overtaking each other; what is still missing after <see cref="Patience"/> was lost on the way.
/// </summary>
internal sealed partial class RoomTracker(IRelay relay, TimeProvider time, ILogger<RoomTracker> logger)
{
    private const int PageMessages = 256;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    /// <summary>For a room that has lost track; runs by itself until all is well again.</summary>
    public void Track(Room room) => _ = TrackAsync(room);

    /// <summary>Reads what a room may have missed.</summary>
    /// <exception cref="RelayUnavailableException">Redis is out of reach.</exception>
    public async Task CatchUpAsync(Room room)
    {
#if SABOTAGE
        if (Sabotage.Of("gap"))
        {
            return;
        }

#endif
        RoomMark mark;
        LogPage page;
        do
        {
            mark = room.Mark;
            page = await relay.ReadAsync(room.Key, mark.Seq, PageMessages, mark.Epoch);
        }
        while (!room.Merge(page));

        var now = room.Mark;
        if (now.Seq != mark.Seq || now.Epoch != mark.Epoch)
        {
            LogCaughtUp(room.Key.CompanyId, room.Key.RoomId, mark.Seq, now.Seq);
        }
    }

    /// <summary>Catches up, however long Redis is out of reach.</summary>
    public async Task CatchUpPatientlyAsync(Room room)
    {
        while (true)
        {
            try
            {
                await CatchUpAsync(room);
                return;
            }
            catch (RelayUnavailableException exception)
            {
                // What lies beyond a gap waits; nothing is delivered out of order.
                LogWaiting(exception, room.Key.CompanyId, room.Key.RoomId);
                await Task.Delay(Patience, time);
            }
        }
    }

    private async Task TrackAsync(Room room)
    {
        do
        {
            await Task.Delay(Patience, time);
            if (room.HasLostTrack)
            {
                await CatchUpPatientlyAsync(room);
            }
        }
        while (!room.TryEndTracking());
    }

    [LoggerMessage(300, LogLevel.Information, "Room {CompanyId}/{RoomId}: the log brought what the subscription had not, from seq {From} to {To}.")]
    private partial void LogCaughtUp(long companyId, long roomId, long from, long to);

    [LoggerMessage(301, LogLevel.Warning, "Room {CompanyId}/{RoomId} waits for messages that Redis can't give now.")]
    private partial void LogWaiting(Exception exception, long companyId, long roomId);
}
