using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Rooms;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Rooms.Support;

/// <summary>The room's parts put together as the service does it.</summary>
internal static class RoomParts
{
    /// <summary>Whose pages hold as many messages as there may be in one.</summary>
    public static readonly RoomOptions Options = new(MaxRoomsPerConnection: 500, MaxMessageBytes: 1024);

    public static RoomTracker Tracker(IBackplane backplane, RoomOptions? options = null, ILogger<RoomTracker>? logger = null) =>
        new(backplane, options ?? Options, TimeProvider.System, logger ?? NullLogger<RoomTracker>.Instance);

    public static RoomDirectory Directory(
        IBackplane backplane, int queueBytes = 1 << 20, RoomOptions? rooms = null, ILogger<RoomTracker>? logger = null)
    {
        rooms ??= Options;
        var tracker = Tracker(backplane, rooms, logger);
        var options = new ConnectionOptions(
            10, 10, queueBytes, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10));
        return new(backplane, new Replay(backplane, tracker, rooms, options), tracker, TimeProvider.System);
    }
}
