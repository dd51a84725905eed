namespace ChatServer.Protocol;

/// <summary>
/// Why a connection is closed: the code and reason of a close frame (RFC 6455, section 7.4).
/// Of our own codes, 4000-4499 ask the client to reconnect, with full jitter; after 4500-4999 it must not until something changes.
/// </summary>
/// <param name="Code">The status code; 0 stands for a close frame without one.</param>
/// <param name="Text">The reason, at most 123 bytes of UTF-8.</param>
internal readonly record struct CloseReason(ushort Code, string Text)
{
    public static readonly CloseReason None = new(0, "");
    public static readonly CloseReason Normal = new(1000, "");
    public static readonly CloseReason GoingAway = new(1001, "");
    public static readonly CloseReason ProtocolError = new(1002, "protocol_error");
    public static readonly CloseReason NotUtf8 = new(1007, "not_utf8");
    public static readonly CloseReason TooBig = new(1009, "too_large");
    public static readonly CloseReason InternalError = new(1011, "internal_error");
    public static readonly CloseReason Restart = new(1012, "restart");

    public static readonly CloseReason SlowConsumer = new(4001, "slow_consumer");
    public static readonly CloseReason RateLimited = new(4002, "rate_limited");
    public static readonly CloseReason NoPong = new(4003, "no_pong");
    public static readonly CloseReason Unavailable = new(4004, "unavailable");

    public static readonly CloseReason InvalidToken = new(4500, "invalid_token");
    public static readonly CloseReason BadFirstFrame = new(4501, "bad_frame");
    public static readonly CloseReason AuthTimeout = new(4502, "auth_timeout");
    public static readonly CloseReason SessionEnded = new(4503, "session_ended");
    public static readonly CloseReason TooManyConnections = new(4504, "too_many_connections");
}
