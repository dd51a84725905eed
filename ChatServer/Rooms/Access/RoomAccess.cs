using ChatServer.Protocol;
using ChatServer.Sessions;

namespace ChatServer.Rooms.Access;

/// <summary>The answer to: may this user enter this room?</summary>
internal enum RoomAnswer
{
    Granted,
    Forbidden,

    /// <summary>Quantum is out of reach and no earlier answer is recent enough.</summary>
    Unavailable,
}

/// <summary>
/// Decides who may enter a room of their own company: the session's list of rooms if it has one, else the rule of
/// <see cref="RoomAccessOptions"/>.
/// </summary>
internal sealed class RoomAccess(RoomAccessOptions options, MemberLists lists)
{
    /// <summary>Another number after each change of a room's members: an answer from before may no longer hold.</summary>
    public int Changes => lists.Changes;

    public async ValueTask<RoomAnswer> CheckAsync(Caller caller, long roomId)
    {
        if (caller.RoomIds is { } rooms)
        {
            return rooms.Contains(roomId) ? RoomAnswer.Granted : RoomAnswer.Forbidden;
        }

        return options.Rule == RoomAccessRule.Company
            ? RoomAnswer.Granted
            : await lists.CheckAsync(new RoomKey(caller.CompanyId, roomId), caller.UserId, caller.TokenKey);
    }
}
