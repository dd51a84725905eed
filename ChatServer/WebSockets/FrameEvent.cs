using ChatServer.Protocol;

namespace ChatServer.WebSockets;

/// <summary>What <see cref="FrameReader.Read"/> found.</summary>
internal enum FrameEventKind
{
    /// <summary>All input is consumed; the next event needs more.</summary>
    None,

    /// <summary>A whole text message, valid UTF-8.</summary>
    Text,

    /// <summary>The next bytes of a binary message.</summary>
    Binary,
    Ping,
    Pong,

    /// <summary>The peer closes. What follows on the wire is dropped.</summary>
    Close,

    /// <summary>The peer broke the protocol: close with <see cref="FrameEvent.Reason"/>. What follows on the wire is dropped.</summary>
    Violation,
}

/// <summary>
/// One step of a peer's byte stream. It lives until the next call of <see cref="FrameReader.Read"/>: its payload is borrowed.
/// </summary>
internal readonly ref struct FrameEvent
{
    private FrameEvent(FrameEventKind kind, ReadOnlySpan<byte> payload, bool endOfMessage, CloseReason reason)
    {
        Kind = kind;
        Payload = payload;
        EndOfMessage = endOfMessage;
        Reason = reason;
    }

    public FrameEventKind Kind { get; }

    /// <summary>The message, the chunk of a binary message, or the application data of a ping or pong.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False only for a binary chunk that more will follow; the last chunk may be empty.</summary>
    public bool EndOfMessage { get; }

    /// <summary>
    /// Close: what the peer said (<see cref="CloseReason.None"/> if nothing). Violation: what to close with (1002, 1007, 1009).
    /// </summary>
    public CloseReason Reason { get; }

    public static FrameEvent None => default;

    public static FrameEvent Text(ReadOnlySpan<byte> message) => new(FrameEventKind.Text, message, endOfMessage: true, default);

    public static FrameEvent Binary(ReadOnlySpan<byte> chunk, bool endOfMessage) =>
        new(FrameEventKind.Binary, chunk, endOfMessage, default);

    public static FrameEvent Ping(ReadOnlySpan<byte> data) => new(FrameEventKind.Ping, data, endOfMessage: true, default);

    public static FrameEvent Pong(ReadOnlySpan<byte> data) => new(FrameEventKind.Pong, data, endOfMessage: true, default);

    public static FrameEvent Close(CloseReason reason) => new(FrameEventKind.Close, [], endOfMessage: true, reason);

    public static FrameEvent Violation(CloseReason reason) => new(FrameEventKind.Violation, [], endOfMessage: true, reason);
}
