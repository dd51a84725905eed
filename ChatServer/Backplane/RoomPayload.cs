using System.Buffers.Text;
using System.Text;

namespace ChatServer.Backplane;

/// <summary>
/// What goes over a room's channel: one notice, or the messages of one call. A line that nodes read, then JSON.
/// <c>m first epoch</c> (the accept script writes it) stands before records of messages (<see cref="Protocol.MessageRecord"/>), the first
/// of which has that seq; <c>n user connection</c> before a notice, with whom it leaves out; <c>w user connection</c> before one that may
/// wait. Connections are 16 hexadecimal digits.
/// </summary>
internal static class RoomPayload
{
    public static byte[] Notice(RoomNotice notice) =>
    [
        .. Encoding.ASCII.GetBytes($"{(notice.MayWait ? 'w' : 'n')} {notice.ExceptUserId} {notice.ExceptConnection:x16}\n"),
        .. notice.Json.Span,
    ];

    public static bool TryConnection(ReadOnlySpan<byte> text, out ulong id) =>
        Utf8Parser.TryParse(text, out id, out var used, 'x') && used == text.Length;
}
