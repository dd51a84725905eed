using System.Buffers;
using System.Net.Sockets;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>A connected stream socket, which it owns.</summary>
internal sealed class SocketTransport(Socket socket, SocketConnectionOptions options) : ITransport
{
    // Far below the kernel's limit of 1,024 pieces; 64 of the smallest pieces are half a megabyte.
    private const int MostPieces = 64;
    private readonly List<ArraySegment<byte>> _pieces = new(MostPieces);
    private readonly SocketAwaitableEventArgs _gather = new();

    public ValueTask WaitAsync() => options.HasFlag(SocketConnectionOptions.ZeroLengthReads) ? EmptyReceiveAsync() : default;

    public ValueTask<int> ReceiveAsync(Memory<byte> buffer) => socket.ReceiveAsync(buffer, SocketFlags.None);

    public ValueTask<int> SendAsync(ReadOnlySequence<byte> buffer) =>
        !buffer.IsSingleSegment && TryCollect(buffer) ? GatherAsync() : socket.SendAsync(buffer.FirstPiece(), SocketFlags.None);

    public void EndReceiving() => Shutdown(SocketShutdown.Receive);

    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public void Dispose()
    {
        Shutdown(SocketShutdown.Both);
        socket.Dispose();
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    private async ValueTask EmptyReceiveAsync() => await socket.ReceiveAsync(Memory<byte>.Empty, SocketFlags.None);

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<int> GatherAsync()
    {
        _gather.BufferList = _pieces;
        if (!socket.SendAsync(_gather))
        {
            _gather.Complete();
        }

        return await _gather;
    }

    // Memory that is no array cannot be gathered; it goes out piece by piece.
    private bool TryCollect(ReadOnlySequence<byte> buffer)
    {
        _pieces.Clear();
        foreach (var memory in buffer)
        {
            if (_pieces.Count == MostPieces || !MemoryMarshal.TryGetArray(memory, out var piece))
            {
                break;
            }

            if (piece.Count > 0)
            {
                _pieces.Add(piece);
            }
        }

        return _pieces.Count > 1;
    }

    private void Shutdown(SocketShutdown direction)
    {
        try
        {
            socket.Shutdown(direction);
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The connection is gone already, which is what was wanted.
        }
    }
}
