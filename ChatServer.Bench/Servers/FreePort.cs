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

    /// <returns>Whether somebody listens there now.</returns>
    public static async Task<bool> IsTakenAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
