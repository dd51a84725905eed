using ChatServer.Protocol;

namespace ChatServer.Wire;

/// <summary>What <see cref="FrameReader.Read"/> found.</summary>
internal enum WireEventKind
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

    /// <summary>The peer broke the protocol: close with <see cref="WireEvent.Reason"/>. What follows on the wire is dropped.</summary>
    Violation,
}

/// <summary>One step of a peer's byte stream. It lives until the next call of <see cref="FrameReader.Read"/>: its payload is borrowed.</summary>
internal readonly ref struct WireEvent
{
    private WireEvent(WireEventKind kind, ReadOnlySpan<byte> payload, bool endOfMessage, CloseReason reason)
    {
        Kind = kind;
        Payload = payload;
        EndOfMessage = endOfMessage;
        Reason = reason;
    }

    public WireEventKind Kind { get; }

    /// <summary>The message, the chunk of a binary message, or the application data of a ping or pong.</summary>
    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>False only for a binary chunk that more will follow; the last chunk may be empty.</summary>
    public bool EndOfMessage { get; }

    /// <summary>Close: what the peer said (<see cref="CloseReason.None"/> if nothing). Violation: what to close with (1002, 1007, 1009).</summary>
    public CloseReason Reason { get; }

    public static WireEvent None => default;

    public static WireEvent Text(ReadOnlySpan<byte> message) => new(WireEventKind.Text, message, endOfMessage: true, default);

    public static WireEvent Binary(ReadOnlySpan<byte> chunk, bool endOfMessage) => new(WireEventKind.Binary, chunk, endOfMessage, default);

    public static WireEvent Ping(ReadOnlySpan<byte> data) => new(WireEventKind.Ping, data, endOfMessage: true, default);

    public static WireEvent Pong(ReadOnlySpan<byte> data) => new(WireEventKind.Pong, data, endOfMessage: true, default);

    public static WireEvent Close(CloseReason reason) => new(WireEventKind.Close, [], endOfMessage: true, reason);

    public static WireEvent Violation(CloseReason reason) => new(WireEventKind.Violation, [], endOfMessage: true, reason);
}
