using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ChatServer.Relay;

/// <summary>
/// What goes over a room's channel: a line that nodes read, then the JSON that they forward untouched.
/// <c>m seq epoch origin</c> is a message (the accept script writes it), <c>n user connection</c> a notice and whom it leaves out.
/// Connections are 16 hexadecimal digits.
/// </summary>
internal static class RelayPayload
{
    public static byte[] Notice(RoomNotice notice) =>
        [.. Encoding.ASCII.GetBytes($"n {notice.ExceptUserId} {notice.ExceptConnection:x16}\n"), .. notice.Json.Span];

    /// <summary>Hands a payload to the listener.</summary>
    /// <returns>False where it is none of ours.</returns>
    public static bool Deliver(ReadOnlyMemory<byte> payload, IRoomListener listener)
    {
        var line = payload.Span.IndexOf((byte)'\n');
        if (line < 0)
        {
            return false;
        }

        var header = payload.Span[..line];
        var json = payload[(line + 1)..];
        Span<Range> parts = stackalloc Range[5];
        var count = Split(header, parts);
        if (count == 4 && header[parts[0]].SequenceEqual("m"u8)
            && Utf8Parser.TryParse(header[parts[1]], out long seq, out _) && TryConnection(header[parts[3]], out var origin))
        {
            listener.OnMessage(new(seq, EpochOf(header[parts[2]]), origin, json));
            return true;
        }

        if (count == 3 && header[parts[0]].SequenceEqual("n"u8)
            && Utf8Parser.TryParse(header[parts[1]], out long user, out _) && TryConnection(header[parts[2]], out var connection))
        {
            listener.OnNotice(new(user, connection, json));
            return true;
        }

        return false;
    }

    public static string Connection(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    public static bool TryConnection(ReadOnlySpan<byte> text, out ulong id) =>
        Utf8Parser.TryParse(text, out id, out var used, 'x') && used == text.Length;

    private static string EpochOf(ReadOnlySpan<byte> text) => Encoding.ASCII.GetString(text);

    private static int Split(ReadOnlySpan<byte> header, Span<Range> parts)
    {
        var count = 0;
        foreach (var part in header.Split((byte)' '))
        {
            if (count == parts.Length)
            {
                return -1;
            }

            parts[count++] = part;
        }

        return count;
    }
}
