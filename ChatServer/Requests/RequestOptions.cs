using ChatServer.Configuration;

namespace ChatServer.Requests;

/// <summary>What a client may send.</summary>
/// <param name="MaxMessageBytes">The largest text message.</param>
/// <param name="RateLimit">Text frames a second and connection in the long run; 0: no limit.</param>
/// <param name="RateBurst">Text frames that may come at once.</param>
internal sealed record RequestOptions(int MaxMessageBytes, int RateLimit, int RateBurst)
{
    /// <summary>The largest first frame, in bytes, before anybody is known.</summary>
    public const int MaxFirstFrameBytes = 4096;

    /// <summary>The largest binary frame, in bytes.</summary>
    public const int MaxBinaryFrameBytes = 1024 * 1024;

    /// <summary>The longest name of a file that is looked at, in UTF-16 code units; what is kept of it is shorter.</summary>
    public const int MaxFileNameLength = 1024;

    /// <summary>What is shown of a type that there is not, in UTF-16 code units.</summary>
    public const int MaxShownTypeLength = 40;

    /// <summary>Messages of one connection that may be on their way to being accepted; more wait in the socket.</summary>
    public const int MaxAccepting = 64;

    /// <summary>Frames of one connection that may wait for rooms that it is entering, in bytes: behind these it is told to send again.</summary>
    public const int MaxWaitingBytes = 256 * 1024;

    /// <summary>Rooms that one connection may be entering at a time by frames of their own.</summary>
    public const int MaxEntering = 500;

    public static RequestOptions Read(SettingReader settings) => new(
        settings.Int("MAX_MESSAGE_BYTES", 64 * 1024, 1024, 16 * 1024 * 1024),
        settings.Int("RATE_LIMIT", 20, 0, 1_000_000),
        settings.Int("RATE_BURST", 60, 1, 1_000_000));
}
