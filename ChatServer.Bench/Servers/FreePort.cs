using System.Net;
using System.Net.Sockets;

namespace ChatServer.Bench.Servers;

/// <summary>Loopback ports.</summary>
internal static class FreePort
{
    /// <summary>A port that was free a moment ago; the system does not soon give it to anyone else.</summary>
    public static int Next()
    {
        using var socket = new TcpListener(IPAddress.Loopback, 0);
        socket.Start();
        return ((IPEndPoint)socket.LocalEndpoint).Port;
    }
}
