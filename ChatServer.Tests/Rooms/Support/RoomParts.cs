using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Rooms.Access.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Rooms.Support;

/// <summary>The room's parts put together as the service does it.</summary>
internal static class RoomParts
{
    public static RoomTracker Tracker(IBackplane backplane, ILogger<RoomTracker>? logger = null) =>
        new(backplane, TimeProvider.System, logger ?? NullLogger<RoomTracker>.Instance);

    public static RoomDirectory Directory(IBackplane backplane, int queueBytes = 1 << 20, ILogger<RoomTracker>? logger = null)
    {
        var tracker = Tracker(backplane, logger);
        var options = new ConnectionOptions(
            10, 10, queueBytes, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10));
        return new(backplane, new Replay(backplane, tracker, options), tracker, TimeProvider.System);
    }

    /// <summary>Joins with a permit that always holds.</summary>
    public static ValueTask<RoomMember?> JoinAsync(
        this RoomDirectory rooms, Connection connection, RoomKey key, long? since, string? epoch) =>
        rooms.JoinAsync(connection, key, since, epoch, Permit(key));

    /// <summary>A fresh view for whoever comes.</summary>
    public static RoomMember Join(this Room room, Connection connection) => room.TryJoin(connection, Permit(room.Key))!;

    /// <summary>A permit that always holds.</summary>
    public static RoomPermit Permit(RoomKey key)
    {
        var access = new RoomAccess(new(RoomAccessRule.Company), new(new MemberSource(), TimeProvider.System));
        var permit = access.PermitFor(new(7, key.CompanyId, "rest-7", null, new SessionKey("s", key.CompanyId, 7), null), key.RoomId);
        permit.AskAsync().AsTask().IsCompletedSuccessfully.Should().BeTrue();
        return permit;
    }
}
