using System.Buffers;
using System.Runtime.CompilerServices;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>A stream that reads and writes at the same time, as TLS does; it owns the stream.</summary>
internal sealed class StreamTransport(Stream stream) : ITransport
{
    private readonly CancellationTokenSource _ended = new();

    public ValueTask WaitAsync() => default;

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => stream.ReadAsync(buffer, _ended.Token);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> SendAsync(ReadOnlySequence<byte> buffer)
    {
        // One piece at a time, so that the pipe's count of what waits goes down as pieces leave.
        var piece = buffer.FirstPiece();
        await stream.WriteAsync(piece, _ended.Token);
        if (piece.Length == buffer.Length)
        {
            await stream.FlushAsync(_ended.Token);
        }

        return piece.Length;
    }

    // A stream has no half that could be ended; disposing it ends both.
    public void EndReceiving()
    {
    }

    public void EndSending()
    {
    }

    public void Dispose()
    {
        _ended.Cancel();
        stream.Dispose();
        _ended.Dispose();
    }
}
