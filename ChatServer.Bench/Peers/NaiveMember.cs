using System.Net.WebSockets;

namespace ChatServer.Bench.Peers;

/// <summary>A member of a room of the naive relay: a socket, and a semaphore as only one may send at a time.</summary>
internal sealed class NaiveMember(WebSocket socket) : IDisposable
{
    private readonly SemaphoreSlim _turn = new(1);
    private byte[]? _held;

    public async Task SendAsync(ReadOnlyMemory<byte> text)
    {
        await _turn.WaitAsync();
        try
        {
            await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
        }
        catch (WebSocketException)
        {
            // It has gone, and its own loop will notice.
        }
        finally
        {
            _turn.Release();
        }
    }

    /// <summary>Keeps a message back, for <see cref="RelayFault"/>.</summary>
    public void Hold(byte[] text) => Volatile.Write(ref _held, text);

    public byte[]? TakeHeld() => Interlocked.Exchange(ref _held, null);

    public void Dispose() => _turn.Dispose();
}
