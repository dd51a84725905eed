using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// Fills the gap when a room has got a message that doesn't follow on its last one. Most gaps are two copies overtaking each other and close by themselves;
/// what is still missing after <see cref="Patience"/> was lost on the way and is read from the log.
/// </summary>
internal sealed partial class GapHealer(IRelay relay, TimeProvider time, ILogger<GapHealer> logger)
{
    private const int PageMessages = 256;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(100);

    public void Heal(Room room) => _ = HealAsync(room);

    private async Task HealAsync(Room room)
    {
        while (true)
        {
            await Task.Delay(Patience, time);
            if (!room.HasGap)
            {
                return;
            }

            try
            {
                var after = room.Seq;
                var page = await relay.ReadAsync(room.Key, after, PageMessages);
                foreach (var message in page.Messages)
                {
                    room.OnMessage(message);
                }

                LogHealed(room.Key.CompanyId, room.Key.RoomId, after, room.Seq - after);
            }
            catch (RelayUnavailableException exception)
            {
                // The messages beyond the gap wait; nothing is delivered out of order.
                LogWaiting(exception, room.Key.CompanyId, room.Key.RoomId);
            }
        }
    }

    [LoggerMessage(300, LogLevel.Information, "Room {CompanyId}/{RoomId}: read {Count} messages after {Seq} from the log, which the subscription had not brought.")]
    private partial void LogHealed(long companyId, long roomId, long seq, long count);

    [LoggerMessage(301, LogLevel.Warning, "Room {CompanyId}/{RoomId} waits for messages that Redis can't give now.")]
    private partial void LogWaiting(Exception exception, long companyId, long roomId);
}
