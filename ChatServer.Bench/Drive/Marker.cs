using System.Buffers.Text;

namespace ChatServer.Bench.Drive;

/// <summary>
/// What every body begins with: <c>~T{time, 16 hex digits, ns}S{sender, 8}N{number, 8}~</c>. Whatever a server wraps around a body, the
/// marker is found again in it.
/// </summary>
/// <param name="Stamp">Nanoseconds of the monotonic clock.</param>
/// <param name="Sender">Index of the sending connection.</param>
/// <param name="Number">1 for a sender's first message, then 2, 3 …</param>
internal readonly record struct Marker(long Stamp, int Sender, uint Number)
{
    public const int Length = 37;

    private const byte Edge = (byte)'~';

    public void Write(Span<byte> body)
    {
        body[0] = Edge;
        body[1] = (byte)'T';
        Hex(body[2..18], (ulong)Stamp);
        body[18] = (byte)'S';
        Hex(body[19..27], (uint)Sender);
        body[27] = (byte)'N';
        Hex(body[28..36], Number);
        body[36] = Edge;
    }

    /// <summary>Finds the next marker and moves <paramref name="text"/> behind it.</summary>
    /// <returns>False if there is none any more.</returns>
    public static bool TryTake(ref ReadOnlySpan<byte> text, out Marker marker)
    {
        while (text.IndexOf(Edge) is var start and >= 0 && text.Length - start >= Length)
        {
            text = text[start..];
            if (TryRead(text, out marker))
            {
                text = text[Length..];
                return true;
            }

            text = text[1..];
        }

        marker = default;
        return false;
    }

    public static void Hex(Span<byte> destination, ulong value)
    {
        for (var index = destination.Length - 1; index >= 0; index--, value >>= 4)
        {
            destination[index] = "0123456789abcdef"u8[(int)(value & 15)];
        }
    }

    /// <summary>Reads the 16 hex digits that a text begins with.</summary>
    public static bool TryReadHex(ReadOnlySpan<byte> text, out ulong value)
    {
        value = 0;
        return text.Length >= 16 && Read(text[..16], out value);
    }

    private static bool TryRead(ReadOnlySpan<byte> text, out Marker marker)
    {
        marker = default;
        if (text[1] != 'T' || text[18] != 'S' || text[27] != 'N' || text[36] != Edge
            || !Read(text[2..18], out var stamp) || !Read(text[19..27], out var sender) || !Read(text[28..36], out var number))
        {
            return false;
        }

        marker = new((long)stamp, (int)sender, (uint)number);
        return true;
    }

    private static bool Read(ReadOnlySpan<byte> digits, out ulong value) =>
        Utf8Parser.TryParse(digits, out value, out var used, 'x') && used == digits.Length;
}
