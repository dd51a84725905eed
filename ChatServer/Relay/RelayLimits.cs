namespace ChatServer.Relay;

/// <summary>How much a room's memory holds; the contract's least values.</summary>
internal static class RelayLimits
{
    /// <summary>Messages in a room's log. Redis trims whole blocks, so that some more may be held.</summary>
    public const int LogMessages = 1000;

    /// <summary>How long a room's log outlives its last message.</summary>
    public static readonly TimeSpan LogAge = TimeSpan.FromHours(24);

    /// <summary>How long an identifier is known, so that sending it again has no effect.</summary>
    public static readonly TimeSpan IdentifierAge = TimeSpan.FromMinutes(10);
}
