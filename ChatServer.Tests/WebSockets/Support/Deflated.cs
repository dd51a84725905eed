using System.IO.Compression;
using System.Text;

namespace ChatServer.Tests.WebSockets.Support;

/// <summary>permessage-deflate by the RFC's own words (RFC 7692, sections 7.2.1 and 7.2.2), apart from the product's.</summary>
internal static class Deflated
{
    public const byte Rsv1 = 0x40;

    public static byte[] Message(string text) => Message(Encoding.UTF8.GetBytes(text));

    public static byte[] Message(byte[] payload)
    {
        if (payload.Length == 0)
        {
            return [0x00]; // Section 7.2.3.6.
        }

        using var compressed = new MemoryStream();
        using (var deflate = new DeflateStream(compressed, CompressionLevel.Optimal, leaveOpen: true))
        {
            deflate.Write(payload);
            deflate.Flush();
            var flushed = compressed.ToArray();
            flushed[^4..].Should().Equal([0x00, 0x00, 0xFF, 0xFF], "a flush ends that way");
            return flushed[..^4];
        }
    }

    public static byte[] Inflate(ReadOnlySpan<byte> message)
    {
        using var whole = new MemoryStream([.. message, 0x00, 0x00, 0xFF, 0xFF]);
        using var inflate = new DeflateStream(whole, CompressionMode.Decompress);
        using var payload = new MemoryStream();
        inflate.CopyTo(payload);
        return payload.ToArray();
    }
}
