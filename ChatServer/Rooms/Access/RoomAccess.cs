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
    /// <summary>What a join has to have; nothing is asked yet.</summary>
    public RoomPermit PermitFor(Caller caller, long roomId) => new(this, caller, roomId);

    /// <summary>The present moment, for <see cref="HasChanged"/>.</summary>
    public long Now() => lists.Now();

    /// <summary>Whether an answer from before a moment may no longer hold, because the members have changed since.</summary>
    public bool HasChanged(Caller caller, long roomId, long since) =>
        IsQuantums(caller) && lists.HasChanged(new RoomKey(caller.CompanyId, roomId), since);

    public async ValueTask<RoomAnswer> CheckAsync(Caller caller, long roomId)
    {
        if (caller.RoomIds is { } rooms)
        {
            return rooms.Contains(roomId) ? RoomAnswer.Granted : RoomAnswer.Forbidden;
        }

        return IsQuantums(caller)
            ? await lists.CheckAsync(new RoomKey(caller.CompanyId, roomId), caller.UserId, caller.TokenKey)
            : RoomAnswer.Granted;
    }

    /// <summary>Whether the present answer is not one that counts only while Quantum is out of reach.</summary>
    public bool IsCertain(Caller caller, long roomId) =>
        !IsQuantums(caller) || lists.IsCertain(new RoomKey(caller.CompanyId, roomId), caller.UserId);

    /// <summary>Whether Quantum decides.</summary>
    private bool IsQuantums(Caller caller) => caller.RoomIds is null && options.Rule == RoomAccessRule.Quantum;
}
