namespace ChatServer.Rooms.Fanout;

/// <summary>How a room's frames leave.</summary>
internal static class FanoutOptions
{
    /// <summary>How long a notice that may wait does so, for a message with which it can leave in one write.</summary>
    public static readonly TimeSpan NoticePatience = TimeSpan.FromMilliseconds(200);
}
