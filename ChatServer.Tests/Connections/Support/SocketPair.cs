using System.Net;
using System.Net.Sockets;

namespace ChatServer.Tests.Connections.Support;

/// <summary>Two ends of a loopback connection with small kernel buffers, so that a peer that doesn't read is felt soon.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket server, Socket client)
    {
        Server = server;
        Client = client;
    }

    public Socket Server { get; }

    public Socket Client { get; }

    public static async Task<SocketPair> OpenAsync(CancellationToken cancellationToken)
    {
        using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { SendBufferSize = 16_384 };
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var client = new Socket(
            AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { ReceiveBufferSize = 16_384, NoDelay = true };
        await client.ConnectAsync(listener.LocalEndPoint!, cancellationToken);
        return new SocketPair(await listener.AcceptAsync(cancellationToken), client);
    }

    public async Task<byte[]> ReceiveAsync(int count, CancellationToken cancellationToken)
    {
        var bytes = new byte[count];
        int got = 0;
        while (got < count)
        {
            int more = await Client.ReceiveAsync(bytes.AsMemory(got), cancellationToken);
            if (more == 0)
            {
                break;
            }

            got += more;
        }

        return bytes[..got];
    }

    public void Dispose()
    {
        Server.Dispose();
        Client.Dispose();
    }
}
