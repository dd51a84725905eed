using ChatServer.Configuration;

namespace ChatServer.Rooms.Access;

/// <summary>Who decides about a room if the session record doesn't name the user's rooms.</summary>
internal enum RoomAccessRule
{
    /// <summary>Quantum's list of members.</summary>
    Quantum,

    /// <summary>Every user of the company may enter its rooms.</summary>
    Company,
}

/// <summary>Who may enter a room, and how long an answer of Quantum's counts.</summary>
/// <param name="Rule">Who decides if the session doesn't.</param>
internal sealed record RoomAccessOptions(RoomAccessRule Rule)
{
    /// <summary>Lists and refusals at which those that no longer count are swept out.</summary>
    public const int SweepAt = 10_000;

    /// <summary>How long an answer counts.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);

    /// <summary>How long a list counts while Quantum is out of reach.</summary>
    public static readonly TimeSpan Usable = TimeSpan.FromHours(1);

    public static RoomAccessOptions Read(SettingReader settings) => new(settings.Choice("ROOM_ACCESS", RoomAccessRule.Quantum));
}
