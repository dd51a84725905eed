namespace ChatServer.Rooms.Fanout;

/// <summary>How a room's frames are sent.</summary>
internal static class FanoutOptions
{
    /// <summary>
    /// Bytes from which on a batch leaves alone; it may be one message longer. For a peer that takes nothing no less than a whole batch is
    /// held or dropped.
    /// </summary>
    public const int BatchBytes = 256 * 1024;

    /// <summary>How long a notice that may wait does so, for a message that can share its write.</summary>
    public static readonly TimeSpan NoticePatience = TimeSpan.FromMilliseconds(200);
}
