using ChatServer.Settings;

namespace ChatServer.Receive;

/// <summary>What a client may send.</summary>
/// <param name="MaxMessageBytes">The largest text message.</param>
/// <param name="RateLimit">Text frames a second and connection in the long run; 0: no limit.</param>
/// <param name="RateBurst">Text frames that may come at once.</param>
internal sealed record ReceiveOptions(int MaxMessageBytes, int RateLimit, int RateBurst)
{
    /// <summary>The largest first frame, before anybody is known.</summary>
    public const int MaxFirstFrameBytes = 4096;

    /// <summary>The largest binary frame.</summary>
    public const int MaxBinaryFrameBytes = 1024 * 1024;

    public static ReceiveOptions Read(SettingReader settings) => new(
        settings.Int("MAX_MESSAGE_BYTES", 64 * 1024, 1024, 16 * 1024 * 1024),
        settings.Int("RATE_LIMIT", 20, 0, 1_000_000),
        settings.Int("RATE_BURST", 60, 1, 1_000_000));
}
