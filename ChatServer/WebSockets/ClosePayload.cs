using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using ChatServer.Protocol;

namespace ChatServer.WebSockets;

/// <summary>The body of a peer's close frame (RFC 6455, sections 5.5.1 and 7.4).</summary>
internal static class ClosePayload
{
    /// <returns>Close, or Violation with 1002 for a wrong length or code and 1007 for a reason that is not UTF-8.</returns>
    public static FrameEvent Read(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty)
        {
            return FrameEvent.Close(CloseReason.None);
        }

        if (payload.Length < sizeof(ushort))
        {
            return FrameEvent.Violation(CloseReason.ProtocolError);
        }

        ushort code = BinaryPrimitives.ReadUInt16BigEndian(payload);
        var reason = payload[sizeof(ushort)..];
        if (!MayBeSent(code))
        {
            return FrameEvent.Violation(CloseReason.ProtocolError);
        }

        return Utf8.IsValid(reason)
            ? FrameEvent.Close(new CloseReason(code, Encoding.UTF8.GetString(reason)))
            : FrameEvent.Violation(CloseReason.NotUtf8);
    }

    /// <summary>
    /// 1004-1006 and 1015 never stand in a frame; 1016-2999 are not given out yet; libraries have 3000-3999, applications 4000-4999.
    /// </summary>
    private static bool MayBeSent(ushort code) => code is (>= 1000 and <= 1003) or (>= 1007 and <= 1014) or (>= 3000 and <= 4999);
}
