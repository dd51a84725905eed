using System.Buffers.Binary;

namespace ChatServer.Bench.Drive;

/// <summary>A frame as a server sends it: never masked.</summary>
/// <param name="compressed">RSV1 (RFC 7692, section 6).</param>
internal readonly ref struct ServerFrame(byte opcode, bool final, bool compressed, ReadOnlySpan<byte> payload)
{
    public byte Opcode => opcode;

    public bool IsFinal => final;

    public bool IsCompressed => compressed;

    public ReadOnlySpan<byte> Payload { get; } = payload;
}

/// <summary>Opcodes of RFC 6455 that the generator meets.</summary>
internal static class Op
{
    public const byte Continuation = 0;
    public const byte Text = 1;
    public const byte Close = 8;
    public const byte Ping = 9;
    public const byte Pong = 10;
}

/// <summary>Takes frames off a run of bytes.</summary>
internal static class FrameScanner
{
    private const int MaxPayload = 64 * 1024 * 1024;

    /// <returns>False if the next frame is not complete yet.</returns>
    /// <exception cref="InvalidDataException">These are no frames of a server.</exception>
    public static bool TryTake(ref ReadOnlySpan<byte> bytes, out ServerFrame frame)
    {
        frame = default;
        if (bytes.Length < 2)
        {
            return false;
        }

        if ((bytes[0] & 0x30) != 0 || (bytes[1] & 0x80) != 0)
        {
            throw new InvalidDataException("a frame with a reserved bit or a mask");
        }

        var (header, length) = (bytes[1] & 127) switch
        {
            126 => (4, bytes.Length < 4 ? 0UL : BinaryPrimitives.ReadUInt16BigEndian(bytes[2..])),
            127 => (10, bytes.Length < 10 ? 0UL : BinaryPrimitives.ReadUInt64BigEndian(bytes[2..])),
            var small => (2, (ulong)small),
        };
        if (length > MaxPayload)
        {
            throw new InvalidDataException("a frame over 64 MiB");
        }

        if (bytes.Length < header + (int)length)
        {
            return false;
        }

        frame = new((byte)(bytes[0] & 15), (bytes[0] & 0x80) != 0, (bytes[0] & 0x40) != 0, bytes.Slice(header, (int)length));
        bytes = bytes[(header + (int)length)..];
        return true;
    }
}
