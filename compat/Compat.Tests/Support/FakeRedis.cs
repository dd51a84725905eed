using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Compat.Tests.Support;

/// <summary>
/// Speaks just enough RESP to be connected to, and answers one command, GET, with bytes that the test made up: replies that a
/// real server never sends.
/// </summary>
internal sealed class FakeRedis : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly byte[] _reply;
    private readonly Task _serving;

    public FakeRedis(string reply)
    {
        _reply = Encoding.ASCII.GetBytes(reply);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
        _serving = AcceptAsync();
    }

    public EndPoint EndPoint => _listener.LocalEndPoint!;

    public async ValueTask DisposeAsync()
    {
        _listener.Dispose();
        await _serving.WaitAsync(Limits.Short);
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptAsync()));
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        try
        {
            while (await reader.ReadLineAsync() is { } header)
            {
                var arguments = new string[int.Parse(header.AsSpan(1))];
                for (var i = 0; i < arguments.Length; i++)
                {
                    // By its length: the client's probes are random bytes, line ends among them.
                    var argument = new char[int.Parse((await reader.ReadLineAsync()).AsSpan(1))];
                    await reader.ReadBlockAsync(argument);
                    await reader.ReadLineAsync();
                    arguments[i] = new string(argument);
                }

                await stream.WriteAsync(Answer(arguments));
            }
        }
        catch (IOException)
        {
            // The client is gone.
        }
    }

    private byte[] Answer(string[] arguments) => arguments[0].ToUpperInvariant() switch
    {
        "GET" when arguments[1] == "made-up" => _reply,
        "PING" => "+PONG\r\n"u8.ToArray(),
        "ECHO" => Encoding.Latin1.GetBytes($"${arguments[1].Length}\r\n{arguments[1]}\r\n"),
        "SUBSCRIBE" => Encoding.Latin1.GetBytes($"*3\r\n$9\r\nsubscribe\r\n${arguments[1].Length}\r\n{arguments[1]}\r\n:1\r\n"),
        _ => "-ERR unknown command\r\n"u8.ToArray(),
    };
}
