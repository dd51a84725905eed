using ChatServer.Settings;

namespace ChatServer.Rooms;

/// <summary>Who decides about a room where the session record doesn't name the user's rooms.</summary>
internal enum RoomAccessRule
{
    /// <summary>Quantum's list of members.</summary>
    Quantum,

    /// <summary>Every user of the company may enter its rooms.</summary>
    Company,
}

/// <summary>What holds for rooms.</summary>
/// <param name="Access">Who decides where the session doesn't.</param>
/// <param name="MaxRoomsPerConnection">Over it a join is answered <c>forbidden</c>.</param>
internal sealed record RoomOptions(RoomAccessRule Access, int MaxRoomsPerConnection)
{
    public static RoomOptions Read(SettingReader settings) => new(
        settings.Choice("ROOM_ACCESS", RoomAccessRule.Quantum),
        settings.Int("MAX_ROOMS_PER_CONNECTION", 500, 1, 100_000));
}
