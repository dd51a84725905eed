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
}
