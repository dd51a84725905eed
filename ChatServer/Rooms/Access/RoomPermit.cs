using ChatServer.Sessions;

namespace ChatServer.Rooms.Access;

/// <summary>
/// What is known of whether a user may enter a room. It ends with the next change of the room's members, so whoever takes the user in looks
/// at <see cref="Holds"/> in the same step. Used by one join.
/// </summary>
internal sealed class RoomPermit(RoomAccess access, Caller caller, long roomId)
{
    private long _asked;

    /// <summary>The last answer.</summary>
    public RoomAnswer Answer { get; private set; } = RoomAnswer.Unavailable;

    /// <summary>Whether the user may enter now: the answer was yes, and no change has come since it was asked for.</summary>
    public bool Holds => Answer == RoomAnswer.Granted && !access.HasChanged(caller, roomId, _asked);

    /// <summary>Whether the user has been told that the room is joined, though that is still under way.</summary>
    public bool IsAnnounced { get; set; }

    /// <summary>Asks, again if need be.</summary>
    /// <returns>Whether the user may enter.</returns>
    public async ValueTask<bool> AskAsync()
    {
        _asked = access.Now();
        Answer = await access.CheckAsync(caller, roomId);
        return Answer == RoomAnswer.Granted;
    }

    /// <summary>Asks again if the members have changed.</summary>
    /// <returns>Whether the user may enter.</returns>
    public ValueTask<bool> RenewAsync() => Holds ? new(true) : AskAsync();
}
