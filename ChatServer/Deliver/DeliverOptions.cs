using ChatServer.Settings;

namespace ChatServer.Deliver;

/// <summary>Limits of what is held for connections, and how long silence may last.</summary>
/// <param name="MaxConnections">A node's; over it an upgrade is answered 503.</param>
/// <param name="MaxConnectionsPerUser">A user's on one node; over it 4504.</param>
/// <param name="SendQueueBytes">What may wait for one slow peer; over it 4001.</param>
/// <param name="PingInterval">Silence after which the server pings.</param>
/// <param name="PongTimeout">Silence after the ping that ends the connection with 4003.</param>
internal sealed record DeliverOptions(
    int MaxConnections, int MaxConnectionsPerUser, int SendQueueBytes, TimeSpan PingInterval, TimeSpan PongTimeout)
{
    public static DeliverOptions Read(SettingReader settings) => new(
        settings.Int("MAX_CONNECTIONS", 50_000, 1, 1_000_000),
        settings.Int("MAX_CONNECTIONS_PER_USER", 20, 1, 1_000_000),
        settings.Int("SEND_QUEUE_BYTES", 1024 * 1024, 64 * 1024, 256 * 1024 * 1024),
        settings.Seconds("PING_INTERVAL", 25, 1, 3600),
        settings.Seconds("PONG_TIMEOUT", 10, 1, 3600));
}
