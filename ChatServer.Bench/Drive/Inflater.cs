using System.IO.Compression;

namespace ChatServer.Bench.Drive;

/// <summary>
/// Decompresses messages (RFC 7692, section 7.2.2). A server that compresses a message once sends the same bytes to a whole room: the
/// generator then decompresses them once too, so that its own work does not limit the server's.
/// </summary>
internal sealed class Inflater
{
    private const int KeptEach = 16;

    private readonly Dictionary<int, (byte[] Compressed, byte[] Text)[]> _rooms = [];
    private readonly Dictionary<int, int> _next = [];

    public byte[] Inflate(int room, ReadOnlySpan<byte> compressed)
    {
        if (!_rooms.TryGetValue(room, out var kept))
        {
            _rooms[room] = kept = new (byte[], byte[])[KeptEach];
        }

        foreach (var (known, text) in kept)
        {
            if (known is not null && compressed.SequenceEqual(known))
            {
                return text;
            }
        }

        using var input = new MemoryStream([.. compressed, 0x00, 0x00, 0xFF, 0xFF]);
        using var inflate = new DeflateStream(input, CompressionMode.Decompress);
        using var output = new MemoryStream();
        inflate.CopyTo(output);
        var place = _next.GetValueOrDefault(room);
        _next[room] = (place + 1) % KeptEach;
        kept[place] = (compressed.ToArray(), output.ToArray());
        return kept[place].Text;
    }
}
