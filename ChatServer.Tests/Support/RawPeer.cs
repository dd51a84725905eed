using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.Support;

/// <summary>
/// A client on the bare socket, for what a proper client never does: odd handshakes, frames in one write with it, silence, not reading.
/// </summary>
internal sealed class RawPeer : IAsyncDisposable
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    private readonly Socket _socket;
    private readonly NetworkStream _stream;

    private RawPeer(Socket socket) => (_socket, _stream) = (socket, new NetworkStream(socket));

    /// <param name="port">On the loopback address.</param>
    /// <param name="receiveBuffer">Bytes that the kernel takes for one who does not read; null: as many as it likes.</param>
    public static async Task<RawPeer> ConnectAsync(int port, int? receiveBuffer = null)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        if (receiveBuffer is { } bytes)
        {
            socket.ReceiveBufferSize = bytes;
        }

        await socket.ConnectAsync(IPAddress.Loopback, port).WaitAsync(ChatPeer.Patience);
        return new RawPeer(socket);
    }

    /// <summary>Connects and upgrades.</summary>
    public static async Task<RawPeer> OpenAsync(int port, int? receiveBuffer = null)
    {
        var peer = await ConnectAsync(port, receiveBuffer);
        (await peer.AskAsync(Upgrade())).Should().StartWith("HTTP/1.1 101 ");
        return peer;
    }

    /// <summary>Asks once and hangs up.</summary>
    /// <returns>The head of the answer.</returns>
    public static async Task<string> AskOnceAsync(int port, string request)
    {
        await using var peer = await ConnectAsync(port);
        return await peer.AskAsync(request);
    }

    /// <summary>An upgrade request; a header that is null is left out.</summary>
    public static string Upgrade(string? origin = "http://localhost", string? key = Key, string? version = "13", string method = "GET")
    {
        var request = new StringBuilder($"{method} /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n");
        foreach (var (name, value) in (ReadOnlySpan<(string, string?)>)[("Origin", origin), ("Sec-WebSocket-Key", key),
            ("Sec-WebSocket-Version", version)])
        {
            if (value is not null)
            {
                request.Append(name).Append(": ").Append(value).Append("\r\n");
            }
        }

        return request.Append("\r\n").ToString();
    }

    /// <returns>The head of the answer.</returns>
    public async Task<string> AskAsync(string request)
    {
        await SendAsync(Encoding.UTF8.GetBytes(request));
        var head = new StringBuilder();
        using var patience = new CancellationTokenSource(ChatPeer.Patience);
        var one = new byte[1];
        while (!head.ToString().EndsWith("\r\n\r\n", StringComparison.Ordinal))
        {
            // Byte by byte, so that nothing of what follows is taken.
            await _stream.ReadExactlyAsync(one, patience.Token);
            head.Append((char)one[0]);
        }

        return head.ToString();
    }

    public async Task SendAsync(params byte[] bytes)
    {
        using var patience = new CancellationTokenSource(ChatPeer.Patience);
        await _stream.WriteAsync(bytes, patience.Token);
    }

    /// <summary>Sends text frames in one write.</summary>
    public Task SendTextAsync(params string[] texts) => SendAsync(ClientFrames.Join([.. texts.Select(text => ClientFrames.Text(text))]));

    /// <exception cref="EndOfStreamException">The server has closed the connection.</exception>
    public async Task<(Opcode Opcode, byte[] Payload)> NextAsync(TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? ChatPeer.Patience);
        var head = new byte[2];
        await _stream.ReadExactlyAsync(head, patience.Token);
        (head[0] & 0xF0).Should().Be(0x80, "the server sends whole messages without reserved bits");
        (head[1] & 0x80).Should().Be(0, "a server does not mask");
        long length = head[1];
        if (length >= 126)
        {
            var extended = new byte[length == 126 ? 2 : 8];
            await _stream.ReadExactlyAsync(extended, patience.Token);
            length = extended.Length == 2 ? BinaryPrimitives.ReadUInt16BigEndian(extended) : BinaryPrimitives.ReadInt64BigEndian(extended);
        }

        var payload = new byte[length];
        await _stream.ReadExactlyAsync(payload, patience.Token);
        return ((Opcode)(head[0] & 0x0F), payload);
    }

    /// <summary>Reads on to the close frame.</summary>
    public async Task<(int Code, string Reason)> CloseAsync(TimeSpan? within = null)
    {
        while (true)
        {
            var (opcode, payload) = await NextAsync(within);
            if (opcode == Opcode.Close)
            {
                return (BinaryPrimitives.ReadUInt16BigEndian(payload), Encoding.UTF8.GetString(payload.AsSpan(2)));
            }
        }
    }

    /// <summary>Reads on to the next text frame.</summary>
    public async Task<string> TextAsync()
    {
        while (true)
        {
            var (opcode, payload) = await NextAsync();
            if (opcode == Opcode.Text)
            {
                return Encoding.UTF8.GetString(payload);
            }
        }
    }

    public ValueTask DisposeAsync()
    {
        _socket.Dispose();
        return _stream.DisposeAsync();
    }
}
