using System.IO.Pipelines;
using System.Net.Sockets;
using Pipelines.Sockets.Unofficial.Transport;

namespace Pipelines.Sockets.Unofficial;

/// <summary>
/// A connected stream socket as a duplex pipe. <see cref="Output"/> completed: what was written is still sent, then the peer sees the
/// end of the stream, and receiving goes on. <see cref="Input"/> completed: receiving ends. <see cref="Dispose"/>: both end at once.
/// </summary>
public sealed class SocketConnection : IMeasuredDuplexPipe, IDisposable
{
    private readonly Socket _socket;
    private readonly DuplexPump _pump;
    private readonly string _name;

    private SocketConnection(Socket socket, PipeOptions send, PipeOptions receive, SocketConnectionOptions options, string? name)
    {
        _socket = socket;
        _name = string.IsNullOrWhiteSpace(name) ? nameof(SocketConnection) : name.Trim();
        _pump = new DuplexPump(new SocketTransport(socket, options), send, receive);
    }

    /// <summary>The bytes received; completes with an error where the connection did not end in good order.</summary>
    public PipeReader Input => _pump.Input;

    /// <summary>The bytes to send; a flush waits while more than the pause threshold is unsent.</summary>
    public PipeWriter Output => _pump.Output;

    /// <summary>Bytes received from the socket since the start.</summary>
    public long BytesRead => _pump.BytesRead;

    /// <summary>Bytes that the socket has taken since the start.</summary>
    public long BytesSent => _pump.BytesSent;

    /// <summary>What the last receive brought: 0 for the end of the stream, and before the first.</summary>
    public int LastReceived => _pump.LastReceived;

    /// <summary>What first ended the connection, in whole or in part.</summary>
    public PipeShutdownKind ShutdownKind => _pump.ShutdownKind;

    /// <summary>The error of the socket, where that is what first ended the connection.</summary>
    public SocketError SocketError => _pump.SocketError;

    long IMeasuredDuplexPipe.TotalBytesSent => _pump.BytesSent;

    long IMeasuredDuplexPipe.TotalBytesReceived => _pump.BytesRead;

    /// <summary>Throws where something that the connection needs is missing; nothing is.</summary>
    public static void AssertDependencies()
    {
    }

    /// <summary>Sets what a client's socket should have: small commands leave at once.</summary>
    public static void SetRecommendedClientOptions(Socket socket)
    {
        ArgumentNullException.ThrowIfNull(socket);
        if (socket.AddressFamily == AddressFamily.Unix)
        {
            return;
        }

        try
        {
            socket.NoDelay = true;
        }
        catch (SocketException)
        {
            // A wish, not a need: without it the connection works, only slower.
        }
    }

    /// <summary>Starts to receive from and send to a connected socket, which the connection owns from here on.</summary>
    /// <param name="socket">A connected stream socket.</param>
    /// <param name="sendPipeOptions">Of <see cref="Output"/>; null for the default ones.</param>
    /// <param name="receivePipeOptions">Of <see cref="Input"/>; null for the default ones.</param>
    /// <param name="socketConnectionOptions">How to read.</param>
    /// <param name="name">What <see cref="ToString"/> gives.</param>
    public static SocketConnection Create(
        Socket socket,
        PipeOptions? sendPipeOptions,
        PipeOptions? receivePipeOptions,
        SocketConnectionOptions socketConnectionOptions = SocketConnectionOptions.None,
        string? name = null)
    {
        ArgumentNullException.ThrowIfNull(socket);
        return new SocketConnection(
            socket, sendPipeOptions ?? PipeOptions.Default, receivePipeOptions ?? PipeOptions.Default, socketConnectionOptions, name);
    }

    /// <summary>Notes that the connection ends because the protocol says so.</summary>
    /// <param name="kind">One of the two protocol exits; any other is refused.</param>
    /// <returns>False where it was refused, or something else ended the connection before.</returns>
    public bool TrySetProtocolShutdown(PipeShutdownKind kind) =>
        kind is PipeShutdownKind.ProtocolExitClient or PipeShutdownKind.ProtocolExitServer && _pump.TrySetShutdown(kind);

    /// <summary>What waits where, at this moment.</summary>
    public Counters GetCounters() => new(AvailableOnSocket(), _pump.BytesWaitingToBeSent, _pump.BytesWaitingToBeRead);

    /// <inheritdoc/>
    public override string ToString() => _name;

    /// <summary>
    /// Closes the socket and ends both loops. A read or a flush that waits ends with <see cref="ObjectDisposedException"/>. The pipes'
    /// buffers go back to their pool once <see cref="Input"/> and <see cref="Output"/> are completed.
    /// </summary>
    public void Dispose() => _pump.Dispose();

    private long AvailableOnSocket()
    {
        try
        {
            return _socket.Available;
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            return 0;
        }
    }

    /// <summary>What waits where in a connection, in bytes.</summary>
    /// <param name="BytesAvailableOnSocket">Came, and not received yet.</param>
    /// <param name="BytesWaitingToBeSent">Flushed, and not taken by the socket yet.</param>
    /// <param name="BytesWaitingToBeRead">Received, and not consumed yet.</param>
    public readonly record struct Counters(long BytesAvailableOnSocket, long BytesWaitingToBeSent, long BytesWaitingToBeRead);
}
