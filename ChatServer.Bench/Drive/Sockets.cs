using System.Net;
using System.Net.Sockets;

namespace ChatServer.Bench.Drive;

/// <summary>Connects over loopback.</summary>
internal static class Sockets
{
    /// <summary>Fewer than the ports that a system gives out for one source address.</summary>
    private const int ConnectionsPerAddress = 20_000;

    public static Socket Connect(int index, int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

        // A reset at the end keeps thousands of ports from waiting for a minute.
        socket.LingerState = new LingerOption(enable: true, seconds: 0);
        var address = index / ConnectionsPerAddress;
        if (address > 0)
        {
            socket.Bind(new IPEndPoint(new IPAddress([127, 0, 0, (byte)(1 + address)]), 0));
        }

        socket.Connect(IPAddress.Loopback, port);
        return socket;
    }
}
