using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Rooms;
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
}
