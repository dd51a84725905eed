using System.Buffers.Binary;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace ChatServer.WebSockets;

/// <summary>The head of a client's frame (RFC 6455, section 5.2), as far as it can be judged without the frames before it.</summary>
/// <param name="Compressed">RSV1, which permessage-deflate sets on a message's first frame (RFC 7692, section 6).</param>
/// <param name="Length">Bytes of payload; at most 2^63-1.</param>
/// <param name="Mask">The masking key, its bytes in memory order.</param>
internal readonly record struct FrameHeader(Opcode Opcode, bool Final, bool Compressed, long Length, uint Mask)
{
    /// <summary>Two bytes, a 64-bit length, a mask.</summary>
    public const int MaxBytes = 14;

    /// <summary>What the second byte can't tell yet is told by two bytes.</summary>
    public const int MinBytes = 2;

    private const byte FinBit = 0x80;
    private const byte CompressedBit = 0x40;
    private const byte ReservedBits = 0x70;
    private const byte OpcodeBits = 0x0F;
    private const byte MaskBit = 0x80;
    private const byte LengthBits = 0x7F;
    private const byte Length16 = 126;
    private const byte Length64 = 127;
    private const int MaskBytes = 4;

    public bool IsControl => Opcode >= Opcode.Close;

    /// <summary>Bytes of the header that starts with these two.</summary>
    public static int Bytes(ReadOnlySpan<byte> start) => MinBytes + MaskBytes + (start[1] & LengthBits) switch
    {
        Length16 => sizeof(ushort),
        Length64 => sizeof(ulong),
        _ => 0,
    };

    /// <summary>
    /// Whether the first two bytes may start a client's frame: no reserved bit or opcode, masked (section 5.1),
    /// and a control frame whole and short (section 5.5).
    /// </summary>
    /// <param name="start">The first two bytes.</param>
    /// <param name="deflates">Whether messages may be compressed.</param>
    public static bool MayStart(ReadOnlySpan<byte> start, bool deflates)
    {
        var opcode = (Opcode)(start[0] & OpcodeBits);
        var reserved = start[0] & ReservedBits;
        return (reserved == 0 || (deflates && reserved == CompressedBit && opcode is Opcode.Text or Opcode.Binary))
            && (start[1] & MaskBit) != 0
            && opcode switch
            {
                <= Opcode.Binary => true,
                >= Opcode.Close and <= Opcode.Pong => (start[0] & FinBit) != 0 && (start[1] & LengthBits) <= FrameReader.MaxControlBytes,
                _ => false,
            };
    }

    /// <summary>Reads a whole header of which <see cref="MayStart"/> holds.</summary>
    /// <returns>False if the length is not in its shortest form or has the top bit set.</returns>
    public static bool TryParse(ReadOnlySpan<byte> bytes, out FrameHeader header)
    {
        ulong length = (ulong)(bytes[1] & LengthBits);
        ulong least = 0;
        if (length == Length16)
        {
            length = BinaryPrimitives.ReadUInt16BigEndian(bytes[MinBytes..]);
            least = Length16;
        }
        else if (length == Length64)
        {
            length = BinaryPrimitives.ReadUInt64BigEndian(bytes[MinBytes..]);
            least = ushort.MaxValue + 1;
        }

        uint mask = MemoryMarshal.Read<uint>(bytes[(Bytes(bytes) - MaskBytes)..]);
        header = new FrameHeader(
            (Opcode)(bytes[0] & OpcodeBits), (bytes[0] & FinBit) != 0, (bytes[0] & CompressedBit) != 0, unchecked((long)length), mask);
        return length >= least && length <= long.MaxValue;
    }

    /// <summary>Space for a header that came in pieces.</summary>
    [InlineArray(MaxBytes)]
    public struct Buffer
    {
        private byte _first;
    }
}
