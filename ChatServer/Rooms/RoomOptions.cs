using ChatServer.Backplane;
using ChatServer.Configuration;

namespace ChatServer.Rooms;

/// <summary>Settings of rooms: how much of a room is kept and for how long, and how long members have to catch up.</summary>
/// <param name="MaxRoomsPerConnection">Over it a join is answered <c>forbidden</c>.</param>
internal sealed record RoomOptions(int MaxRoomsPerConnection)
{
    /// <summary>Messages in a room's log, at least: Redis trims whole blocks, so that some more may be held.</summary>
    public const int LogMessages = 1000;

    /// <summary>Messages that are read from a log at once to bring a room up to date, at most.</summary>
    public const int CatchUpPageMessages = 256;

    /// <summary>Rooms that read their logs at once after an interruption.</summary>
    public const int CatchUpsAtOnce = 32;

    /// <summary>Messages that are read from a log at once for a returning connection, at most.</summary>
    public const int ReplayPageMessages = 64;

    /// <summary>
    /// Messages that a returning connection may have missed, at most: while Quantum is away a log holds more than is sensible to send.
    /// </summary>
    public const int MaxReplayMessages = 5 * LogMessages;

    /// <summary>What a room keeps of live messages, in bytes, for all connections that are reading its log.</summary>
    public const int MaxReplayBufferBytes = 1024 * 1024;

    /// <summary>How long a room's log outlives its last message, at least.</summary>
    public static readonly TimeSpan LogAge = TimeSpan.FromHours(24);

    /// <summary>How long an identifier is known, so that sending it again has no effect.</summary>
    public static readonly TimeSpan IdentifierAge = TimeSpan.FromMinutes(10);

    /// <summary>The part of these settings that the backplane needs.</summary>
    public static readonly LogLimits Log = new(LogMessages, LogAge, IdentifierAge);

    /// <summary>How long to wait for a gap to close by itself before the log is read; also the pause before it is read again.</summary>
    public static readonly TimeSpan GapPatience = TimeSpan.FromMilliseconds(100);

    /// <summary>The pause after an unexpected error before a log is read again.</summary>
    public static readonly TimeSpan TroublePause = TimeSpan.FromSeconds(5);

    /// <summary>How long a returning peer may take to make space for the next page before it counts as slow.</summary>
    public static readonly TimeSpan ReplayPatience = TimeSpan.FromSeconds(10);

    public static RoomOptions Read(SettingReader settings) => new(settings.Int("MAX_ROOMS_PER_CONNECTION", 500, 1, 100_000));
}
