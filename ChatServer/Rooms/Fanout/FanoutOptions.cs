namespace ChatServer.Rooms.Fanout;

/// <summary>How a room's frames are sent.</summary>
internal static class FanoutOptions
{
    /// <summary>How long a notice that may wait does so, for a message that can share its write.</summary>
    public static readonly TimeSpan NoticePatience = TimeSpan.FromMilliseconds(200);
}
