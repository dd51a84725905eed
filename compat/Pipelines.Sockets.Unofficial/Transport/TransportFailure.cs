using System.Net.Sockets;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>What an exception of a transport means to a connection.</summary>
/// <param name="Kind">How it is named in <see cref="SocketConnection.ShutdownKind"/>.</param>
/// <param name="SocketError">The socket's error, also where a stream wraps it.</param>
internal readonly record struct TransportFailure(PipeShutdownKind Kind, SocketError SocketError)
{
    /// <summary>Whether the peer or the network broke the connection off.</summary>
    public bool IsReset => SocketError is SocketError.ConnectionReset or SocketError.ConnectionAborted or SocketError.NetworkReset
        or SocketError.Shutdown or SocketError.TimedOut or SocketError.HostUnreachable or SocketError.NetworkUnreachable;

    public static TransportFailure OfReceiving(Exception error) => Of(
        error,
        PipeShutdownKind.ReadSocketError,
        PipeShutdownKind.ReadDisposed,
        PipeShutdownKind.ReadIOException,
        PipeShutdownKind.ReadException);

    public static TransportFailure OfSending(Exception error) => Of(
        error,
        PipeShutdownKind.WriteSocketError,
        PipeShutdownKind.WriteDisposed,
        PipeShutdownKind.WriteIOException,
        PipeShutdownKind.WriteException);

    private static TransportFailure Of(
        Exception error, PipeShutdownKind socket, PipeShutdownKind disposed, PipeShutdownKind io, PipeShutdownKind other) => error switch
        {
            SocketException e => new(socket, e.SocketErrorCode),
            ObjectDisposedException => new(disposed, SocketError.Success),
            IOException { InnerException: SocketException e } => new(io, e.SocketErrorCode),
            IOException => new(io, SocketError.Success),
            _ => new(other, SocketError.Success),
        };
}
