using System.Net.WebSockets;

namespace ChatServer.WebSockets;

/// <summary>
/// Makes compressed frames (RFC 7692, section 7.2.1). The work is .NET's own: a WebSocket that writes into memory, which keeps its
/// compressor from message to message and starts each one afresh. Not thread-safe.
/// </summary>
internal sealed class FrameDeflater : IDisposable
{
    /// <summary>Below this, compression is not worth it.</summary>
    public const int LeastBytes = 64;

    private readonly Memory _memory = new();
    private readonly WebSocket _socket;

    public FrameDeflater() => _socket = WebSocket.CreateFromStream(_memory, new WebSocketCreationOptions
    {
        IsServer = true,
        KeepAliveInterval = TimeSpan.Zero,
        DangerousDeflateOptions = new WebSocketDeflateOptions { ServerContextTakeover = false, ClientContextTakeover = false },
    });

    /// <summary>The frame of a text message, good until the next call.</summary>
    public ReadOnlySpan<byte> Frame(ReadOnlyMemory<byte> text)
    {
        _memory.SetLength(0);
        var sending = _socket.SendAsync(text, WebSocketMessageType.Text, WebSocketMessageFlags.EndOfMessage, CancellationToken.None);
        if (!sending.IsCompletedSuccessfully)
        {
            throw new InvalidOperationException("A frame was not made at once, though it goes to memory.");
        }

        return _memory.GetBuffer().AsSpan(0, (int)_memory.Length);
    }

    public void Dispose()
    {
        _socket.Dispose();
        _memory.Dispose();
    }

    /// <summary>The other side of that WebSocket, which never sends: it must not end, as a stream without input would.</summary>
    private sealed class Memory : MemoryStream
    {
        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            new(new TaskCompletionSource<int>().Task);
    }
}
