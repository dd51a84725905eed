using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace ChatServer.Backplane;

/// <summary>
/// What goes over a room's channel: one notice, or one message or more. Each is a line that nodes read, then the JSON that they forward
/// untouched.
/// <c>m seq epoch origin length</c> is a message (the accept script writes it), <c>n user connection</c> a notice and whom it leaves out,
/// <c>w user connection</c> one that may wait. Connections are 16 hexadecimal digits, the length is that of the JSON in bytes.
/// </summary>
internal static class RoomPayload
{
    public static byte[] Notice(RoomNotice notice) =>
    [
        .. Encoding.ASCII.GetBytes($"{(notice.MayWait ? 'w' : 'n')} {notice.ExceptUserId} {notice.ExceptConnection:x16}\n"),
        .. notice.Json.Span,
    ];

    public static string Connection(ulong id) => id.ToString("x16", CultureInfo.InvariantCulture);

    public static bool TryConnection(ReadOnlySpan<byte> text, out ulong id) =>
        Utf8Parser.TryParse(text, out id, out var used, 'x') && used == text.Length;
}
