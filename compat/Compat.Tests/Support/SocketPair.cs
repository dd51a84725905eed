using System.Net;
using System.Net.Sockets;

namespace Compat.Tests.Support;

/// <summary>Two ends of one TCP connection over the loopback interface.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket near, Socket far)
    {
        Near = near;
        Far = far;
    }

    /// <summary>The end that the test gives to what it tests.</summary>
    public Socket Near { get; }

    /// <summary>The peer, which the test plays.</summary>
    public Socket Far { get; }

    /// <summary>Connects the two.</summary>
    /// <param name="kernelBuffer">The size of the kernel's buffers, which it doubles; 0 for its own choice.</param>
    public static async Task<SocketPair> CreateAsync(int kernelBuffer = 0)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        if (kernelBuffer > 0)
        {
            listener.ReceiveBufferSize = kernelBuffer;
        }

        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1);
        var near = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (kernelBuffer > 0)
        {
            near.SendBufferSize = kernelBuffer;
            near.ReceiveBufferSize = kernelBuffer;
        }

        await near.ConnectAsync(listener.LocalEndPoint!).WaitAsync(Limits.Short);
        return new SocketPair(near, await listener.AcceptAsync().WaitAsync(Limits.Short));
    }

    /// <summary>Reads exactly <paramref name="count"/> bytes as the peer.</summary>
    public async Task<byte[]> FarReadAsync(int count)
    {
        var bytes = new byte[count];
        for (var read = 0; read < count;)
        {
            var received = await Far.ReceiveAsync(bytes.AsMemory(read)).AsTask().WaitAsync(Limits.Short);
            read += received > 0 ? received : throw new EndOfStreamException();
        }

        return bytes;
    }

    /// <summary>Ends the connection as a peer that crashed: with a reset.</summary>
    public void FarReset()
    {
        Far.LingerState = new LingerOption(enable: true, seconds: 0);
        Far.Dispose();
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
