using ChatServer.Deliver;
using ChatServer.Relay;
using ChatServer.Rooms;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Rooms;

/// <summary>The room's parts put together as the service does it.</summary>
internal static class RoomParts
{
    public static RoomTracker Tracker(IRelay relay) => new(relay, TimeProvider.System, NullLogger<RoomTracker>.Instance);

    public static RoomDirectory Directory(IRelay relay, int queueBytes = 1 << 20)
    {
        var options = new DeliverOptions(10, 10, queueBytes, TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10));
        return new(relay, new Replay(relay, Tracker(relay), options), Tracker(relay), TimeProvider.System);
    }
}
