using System.Buffers.Binary;
using System.Text;
using ChatServer.WebSockets;

namespace ChatServer.Tests.WebSockets.Support;

/// <summary>Frames as a client makes them, wrong ones included.</summary>
internal static class ClientFrames
{
    public const uint AnyMask = 0xA1B2C3D4;

    public static byte[] Text(string text, bool final = true) => Frame(Opcode.Text, Encoding.UTF8.GetBytes(text), final);

    public static byte[] Close(int code, params byte[] reason) => Frame(Opcode.Close, [(byte)(code >> 8), (byte)code, .. reason]);

    public static byte[] Frame(Opcode opcode, ReadOnlySpan<byte> payload, bool final = true, uint mask = AnyMask)
    {
        var header = Header((byte)((final ? 0x80 : 0) | (byte)opcode), (ulong)payload.Length, mask: mask);
        var frame = new byte[header.Length + payload.Length];
        header.CopyTo(frame, 0);
        for (int i = 0; i < payload.Length; i++)
        {
            frame[header.Length + i] = (byte)(payload[i] ^ (mask >> (24 - (8 * (i & 3)))));
        }

        return frame;
    }

    /// <param name="first">FIN, reserved bits and opcode.</param>
    /// <param name="length">What the header says.</param>
    /// <param name="lengthBytes">0, 2 or 8; null for the shortest form.</param>
    /// <param name="mask">Null: unmasked.</param>
    public static byte[] Header(byte first, ulong length, int? lengthBytes = null, uint? mask = AnyMask)
    {
        int extra = lengthBytes ?? (length < 126 ? 0 : length <= ushort.MaxValue ? 2 : 8);
        var header = new byte[2 + extra + (mask is null ? 0 : 4)];
        header[0] = first;
        header[1] = (byte)((mask is null ? 0 : 0x80) | extra switch { 0 => (int)length, 2 => 126, _ => 127 });
        if (extra == 2)
        {
            BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)length);
        }
        else if (extra == 8)
        {
            BinaryPrimitives.WriteUInt64BigEndian(header.AsSpan(2), length);
        }

        if (mask is { } key)
        {
            BinaryPrimitives.WriteUInt32BigEndian(header.AsSpan(2 + extra), key);
        }

        return header;
    }

    public static byte[] Join(params ReadOnlySpan<byte[]> frames)
    {
        var all = new List<byte>();
        foreach (var frame in frames)
        {
            all.AddRange(frame);
        }

        return [.. all];
    }
}
