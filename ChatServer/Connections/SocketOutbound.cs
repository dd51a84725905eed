using System.Net.Sockets;

namespace ChatServer.Connections;

/// <summary>
/// Sends directly to the connection's socket: one system call on the sender's own thread, and a queue only for what the kernel does not
/// take. Nothing else may write to the connection.
/// </summary>
/// <param name="socket">The connection's socket, which Kestrel owns.</param>
/// <param name="limitBytes">The most bytes of its own that may wait.</param>
/// <param name="time">Measures the peer's pace and the grace of closing.</param>
internal sealed class SocketOutbound(Socket socket, int limitBytes, TimeProvider? time = null) : Outbound(limitBytes, time)
{
    protected override int SendNow(ReadOnlySpan<byte> bytes)
    {
        try
        {
            if (socket.Blocking)
            {
                socket.Blocking = false;
            }

            int taken = socket.Send(bytes, SocketFlags.None, out var error);
            return error switch
            {
                SocketError.Success => taken,
                SocketError.WouldBlock => 0,
                _ => -1,
            };
        }
        catch (Exception e) when (e is ObjectDisposedException or SocketException)
        {
            // Kestrel disposes of the socket when the peer resets the connection, whoever else is using it.
            return -1;
        }
    }

    protected override ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) =>
        socket.SendAsync(bytes, SocketFlags.None, cancellationToken);
}
