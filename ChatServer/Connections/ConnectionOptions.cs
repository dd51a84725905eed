using ChatServer.Configuration;

namespace ChatServer.Connections;

/// <summary>Limits of what is held for connections, and how long silence may last.</summary>
/// <param name="MaxConnections">A node's; over it an upgrade is answered 503.</param>
/// <param name="MaxConnectionsPerUser">A user's on one node; over it 4504.</param>
/// <param name="SendQueueBytes">
/// What may wait for one peer in memory of its own; over it 4001. A peer for which more than that waits, shared with others, and that does
/// not take it within <see cref="SlowAfter"/>, is closed with 4001 too.
/// </param>
/// <param name="AuthTimeout">How long a connection may take to its first frame; over it 4502.</param>
/// <param name="PingInterval">Silence after which the server pings.</param>
/// <param name="PongTimeout">Silence after the ping that ends the connection with 4003.</param>
internal sealed record ConnectionOptions(
    int MaxConnections, int MaxConnectionsPerUser, int SendQueueBytes, TimeSpan AuthTimeout, TimeSpan PingInterval, TimeSpan PongTimeout)
{
    /// <summary>The most sockets that have not authenticated yet of all addresses together.</summary>
    private const int MostUnauthenticated = 10_000;

    /// <summary>Where <see cref="MaxConnections"/> is small, at least so many may be about to authenticate, as far as it allows.</summary>
    private const int LeastUnauthenticated = 100;

    /// <summary>Sockets of one address that may not have authenticated yet; over it an upgrade is answered 503. 0: no limit.</summary>
    public int MaxUnauthenticatedPerAddress { get; init; } = 100;

    /// <summary>
    /// Sockets that may not have authenticated yet; over it an upgrade is answered 503. They do not count for
    /// <see cref="MaxConnections"/>, which may be exceeded by as many who authenticate in the same moment.
    /// </summary>
    public int MaxUnauthenticated => Math.Clamp(MaxConnections / 10, Math.Min(LeastUnauthenticated, MaxConnections), MostUnauthenticated);

    /// <summary>How long a peer has to take its close frame, and then to answer it, before the transport is cut.</summary>
    public static readonly TimeSpan CloseGrace = TimeSpan.FromSeconds(5);

    /// <summary>The pause between two looks whether a connection that is to be closed has all its answers.</summary>
    public static readonly TimeSpan AnswerPause = TimeSpan.FromMilliseconds(100);

    /// <summary>How many looks in a row have to find nothing unanswered: together longer than a room waits before it fills a gap.</summary>
    public const int QuietLooks = 3;

    /// <summary>How long a peer that broke the protocol has to take its close frame.</summary>
    public static readonly TimeSpan LingerTime = TimeSpan.FromSeconds(1);

    /// <summary>
    /// How long a peer for which more than <see cref="SendQueueBytes"/> wait may take less than a quarter of that before it counts as slow.
    /// </summary>
    public static readonly TimeSpan SlowAfter = TimeSpan.FromSeconds(2);

    /// <summary>The most bytes that one peer's queue shares with others: frames for many that it has not taken yet.</summary>
    public const int MaxSharedBytesOfPeer = 16 * 1024 * 1024;

    /// <summary>
    /// The most bytes of shared frames that are held for all peers together; if they are used up, <see cref="SendQueueBytes"/> alone
    /// counts.
    /// </summary>
    public const int MaxSharedBytes = 64 * 1024 * 1024;

    /// <summary>The most bytes that a message grows on its way from a client's frame to a member's.</summary>
    public const int MessageOverheadBytes = 1024;

    /// <summary>How often all connections are looked at; their time limits are accurate to it.</summary>
    public static readonly TimeSpan TimeoutCheckInterval = TimeSpan.FromMilliseconds(500);

    public static ConnectionOptions Read(SettingReader settings) => new(
        settings.Int("MAX_CONNECTIONS", 50_000, 1, 1_000_000),
        settings.Int("MAX_CONNECTIONS_PER_USER", 20, 1, 1_000_000),
        settings.Int("SEND_QUEUE_BYTES", 1024 * 1024, 64 * 1024, 256 * 1024 * 1024),
        settings.Seconds("AUTH_TIMEOUT", 10, 1, 600),
        settings.Seconds("PING_INTERVAL", 25, 1, 3600),
        settings.Seconds("PONG_TIMEOUT", 10, 1, 3600))
    {
        MaxUnauthenticatedPerAddress = settings.Int("MAX_UNAUTHENTICATED_PER_ADDRESS", 100, 0, 1_000_000),
    };
}
