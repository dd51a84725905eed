using System.Buffers;
using System.IO.Compression;

namespace ChatServer.WebSockets;

/// <summary>Decompresses a client's message (RFC 7692, section 7.2.2), which stands for itself: no context is taken over.</summary>
internal static class MessageInflater
{
    private const int StepBytes = 4096;

    /// <summary>The end that senders leave out (section 7.2.1), and behind it an empty last block.</summary>
    private static ReadOnlySpan<byte> End => [0x00, 0x00, 0xFF, 0xFF, 0x01, 0x00, 0x00, 0xFF, 0xFF];

    /// <param name="compressed">The payload of all fragments.</param>
    /// <param name="maxBytes">Stops there: a few bytes may stand for gigabytes.</param>
    /// <param name="inflated">Where it goes; more than <paramref name="maxBytes"/> mean that it is too big.</param>
    /// <exception cref="InvalidDataException">It is not compressed data.</exception>
    public static void Inflate(ReadOnlySpan<byte> compressed, int maxBytes, ref PartialPayload inflated)
    {
        var whole = ArrayPool<byte>.Shared.Rent(compressed.Length + End.Length);
        var step = ArrayPool<byte>.Shared.Rent(StepBytes);
        try
        {
            compressed.CopyTo(whole);
            End.CopyTo(whole.AsSpan(compressed.Length));
            using var input = new MemoryStream(whole, 0, compressed.Length + End.Length);
            using var inflater = new DeflateStream(input, CompressionMode.Decompress);
            while (inflated.Length <= maxBytes && inflater.Read(step) is var count and > 0)
            {
                inflated.Append(step.AsSpan(0, count));
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
            ArrayPool<byte>.Shared.Return(step);
        }
    }
}
