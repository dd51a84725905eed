using ChatServer.Connections;
using ChatServer.WebSockets;
using Microsoft.Extensions.ObjectPool;

namespace ChatServer.Rooms.Fanout;

/// <summary>
/// A batch's frames once more, compressed, for those who have agreed on permessage-deflate. Made by the room's pump, once for all of them,
/// and only if there is one; a frame that compression does not make smaller stays as it is.
/// </summary>
internal sealed class DeflatedFrames
{
    /// <summary>A compressor holds some 256 KiB; as many are kept as can be at work at once.</summary>
    private static readonly ObjectPool<FrameDeflater> Deflaters = new DefaultObjectPool<FrameDeflater>(
        new DefaultPooledObjectPolicy<FrameDeflater>(), Environment.ProcessorCount);

    /// <summary>Where each frame begins: in the plain run, and in the compressed one.</summary>
    private readonly List<(int Plain, int Deflated)> _beginnings = [];
    private readonly PooledBytes _frames = new();

    public PooledBytes Frames => _frames;

    public void Make(ReadOnlyMemory<byte> plain)
    {
        var deflater = Deflaters.Get();
        for (var at = 0; at < plain.Length;)
        {
            _beginnings.Add((at, _frames.Length));
            var frame = plain.Slice(at, FrameWriter.LengthOfFrame(plain.Span[at..]));
            var payload = frame[FrameWriter.LengthOfHeader(frame.Span)..];
            var deflated = payload.Length < FrameDeflater.LeastBytes ? frame.Span : deflater.Frame(payload);
            _frames.Write(deflated.Length < frame.Length ? deflated : frame.Span);
            at += frame.Length;
        }

        _beginnings.Add((plain.Length, _frames.Length));
        Deflaters.Return(deflater);
    }

    /// <summary>The offset here that corresponds to an offset in the plain run: the beginning of a frame, or the end of the run.</summary>
    public int PlaceOf(int plain) => _beginnings[~_beginnings.BinarySearch((plain, -1))].Deflated;

    public void Clear()
    {
        _beginnings.Clear();
        _frames.Clear();
    }
}
