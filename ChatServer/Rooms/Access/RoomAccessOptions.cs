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
    /// <summary>User ids that are kept for all rooms together, at most, a room counting as 16 more; some 100 MB.</summary>
    public const int MaxKeptUsers = 2_000_000;

    /// <summary>Rooms of no more use that are removed whenever something is kept, at most.</summary>
    public const int SweptAtOnce = 16;

    /// <summary>Rooms that are asked for again at once because their members may have changed.</summary>
    public const int RechecksAtOnce = 4;

    /// <summary>The pause before those rooms are asked for again for which Quantum did not answer.</summary>
    public static readonly TimeSpan RecheckPause = TimeSpan.FromSeconds(5);

    /// <summary>How long an answer counts.</summary>
    public static readonly TimeSpan Fresh = TimeSpan.FromSeconds(60);

    /// <summary>How long Quantum has for an answer before a list that is no longer fresh lets its members in.</summary>
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(1);

    /// <summary>How long a list counts while Quantum is out of reach.</summary>
    public static readonly TimeSpan Usable = TimeSpan.FromHours(1);

    public static RoomAccessOptions Read(SettingReader settings) => new(settings.Choice("ROOM_ACCESS", RoomAccessRule.Quantum));
}
