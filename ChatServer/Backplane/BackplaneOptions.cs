namespace ChatServer.Backplane;

/// <summary>How much goes to Redis in one call.</summary>
internal static class BackplaneOptions
{
    /// <summary>
    /// Messages that are accepted in one call, at most. During a call, a few milliseconds, Redis serves nobody else; large ones let a room's
    /// messages leave in one write.
    /// </summary>
    public const int AcceptsAtOnce = 512;

    /// <summary>Bytes of their JSON, at most; a larger message goes alone.</summary>
    public const int AcceptBytesAtOnce = 512 * 1024;

    /// <summary>
    /// Bytes of one room among them, at most; a larger message goes alone. They become one entry of its log, which is read as a whole.
    /// </summary>
    public const int AcceptBytesOfRoom = 64 * 1024;

    /// <summary>Bytes of a log's entries after which a page ends; up to three entries more may be in it.</summary>
    public const int PageBytes = 512 * 1024;
}
