using System.Buffers.Binary;
using System.Text.Unicode;
using ChatServer.Protocol;

namespace ChatServer.WebSockets;

/// <summary>Writes a server's frames: unmasked, whole (FIN set), with the shortest length field (RFC 6455, section 5.2).</summary>
internal static class FrameWriter
{
    private const byte Fin = 0x80;
    private const byte Length16 = 126;
    private const byte Length64 = 127;

    /// <summary>Bytes of the header in front of that many bytes of payload: 2, 4 or 10.</summary>
    public static int HeaderLength(int payloadLength) => payloadLength switch
    {
        < Length16 => 2,
        <= ushort.MaxValue => 4,
        _ => 10,
    };

    /// <returns>The bytes written: <see cref="HeaderLength"/>.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static int WriteHeader(Span<byte> destination, Opcode opcode, int payloadLength)
    {
        int length = HeaderLength(payloadLength);
        ArgumentOutOfRangeException.ThrowIfLessThan(destination.Length, length, nameof(destination));
        destination[0] = (byte)(Fin | (byte)opcode);
        switch (length)
        {
            case 2:
                destination[1] = (byte)payloadLength;
                break;
            case 4:
                destination[1] = Length16;
                BinaryPrimitives.WriteUInt16BigEndian(destination[2..], (ushort)payloadLength);
                break;
            default:
                destination[1] = Length64;
                BinaryPrimitives.WriteUInt64BigEndian(destination[2..], (ulong)payloadLength);
                break;
        }

        return length;
    }

    /// <returns>The bytes written: header and payload.</returns>
    /// <exception cref="ArgumentException">The destination is too short.</exception>
    public static int Write(Span<byte> destination, Opcode opcode, ReadOnlySpan<byte> payload)
    {
        int header = WriteHeader(destination, opcode, payload.Length);
        payload.CopyTo(destination[header..]);
        return header + payload.Length;
    }

    /// <summary>A frame of its own, for what is sent to many or seldom.</summary>
    public static byte[] Frame(Opcode opcode, ReadOnlySpan<byte> payload)
    {
        var frame = new byte[HeaderLength(payload.Length) + payload.Length];
        Write(frame, opcode, payload);
        return frame;
    }

    /// <summary>A close frame; a reason over 123 bytes is cut at a character (RFC 6455, sections 5.5 and 5.5.1).</summary>
    public static byte[] Close(CloseReason reason)
    {
        if (reason.Code == 0)
        {
            return Frame(Opcode.Close, []);
        }

        Span<byte> payload = stackalloc byte[FrameReader.MaxControlBytes];
        BinaryPrimitives.WriteUInt16BigEndian(payload, reason.Code);
        Utf8.FromUtf16(reason.Text, payload[sizeof(ushort)..], out _, out int written);
        return Frame(Opcode.Close, payload[..(sizeof(ushort) + written)]);
    }

    /// <summary>The length of the header of the frame that starts here, one of this class's own making.</summary>
    public static int LengthOfHeader(ReadOnlySpan<byte> frame) => frame[1] switch
    {
        Length16 => 4,
        Length64 => 10,
        _ => 2,
    };

    /// <summary>The whole length of the frame that starts here, one of this class's own making.</summary>
    public static int LengthOfFrame(ReadOnlySpan<byte> frame) => frame[1] switch
    {
        Length16 => 4 + BinaryPrimitives.ReadUInt16BigEndian(frame[2..]),
        Length64 => 10 + checked((int)BinaryPrimitives.ReadUInt64BigEndian(frame[2..])),
        var length => 2 + length,
    };
}
