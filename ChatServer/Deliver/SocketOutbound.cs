using System.Net.Sockets;

namespace ChatServer.Deliver;

/// <summary>
/// Sends straight to the connection's socket, for plain HTTP/1.1: one system call on the sender's own thread, and a queue only for what the
/// kernel does not take.
/// </summary>
/// <param name="socket">The connection's socket, which stays Kestrel's own.</param>
/// <param name="limitBytes">The most bytes that may wait.</param>
/// <param name="upgraded">
/// The stream of the upgrade, where the handshake's answer may still be on its way to the kernel: Kestrel's flush does not wait for that, so
/// bytes given to the socket could overtake it. Sends go this way until <see cref="PeerSpoke"/>. Null: straight from the start.
/// </param>
/// <param name="time">Measures the grace of closing.</param>
internal sealed class SocketOutbound(Socket socket, int limitBytes, Stream? upgraded = null, TimeProvider? time = null) : Outbound(limitBytes, time)
{
    private const int Undecided = 0;
    private const int Straight = 1;
    private const int Streamed = 2;

    private int _way = upgraded is null ? Straight : Undecided;

    /// <summary>From here on straight; unless something went through the stream before, as then nothing may overtake that.</summary>
    public override void PeerSpoke()
    {
        if (Volatile.Read(ref _way) == Undecided)
        {
            Interlocked.CompareExchange(ref _way, Straight, Undecided);
        }
    }

    protected override int SendNow(ReadOnlySpan<byte> bytes)
    {
        // PeerSpoke may come in between: then the exchange fails and tells so.
        if (Volatile.Read(ref _way) != Straight && Interlocked.CompareExchange(ref _way, Streamed, Undecided) != Straight)
        {
            return 0;
        }

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

    protected override async ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken)
    {
        if (Volatile.Read(ref _way) == Straight)
        {
            return await socket.SendAsync(bytes, SocketFlags.None, cancellationToken);
        }

        await upgraded!.WriteAsync(bytes, cancellationToken);
        await upgraded.FlushAsync(cancellationToken);
        return bytes.Length;
    }
}
