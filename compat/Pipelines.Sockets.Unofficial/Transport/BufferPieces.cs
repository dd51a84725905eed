using System.Buffers;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>Looks into a buffer of several pieces.</summary>
internal static class BufferPieces
{
    /// <summary>The first piece that is not empty. A send of nothing would take nothing, and be tried again for ever.</summary>
    internal static ReadOnlyMemory<byte> FirstPiece(this in ReadOnlySequence<byte> buffer)
    {
        if (!buffer.First.IsEmpty)
        {
            return buffer.First;
        }

        foreach (var piece in buffer)
        {
            if (!piece.IsEmpty)
            {
                return piece;
            }
        }

        return default;
    }
}
