using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace ChatServer.Bench.Drive;

/// <summary>Bytes on their way to a socket, and the making of a client's frames (RFC 6455: always masked).</summary>
internal sealed class OutBuffer
{
    private const int Final = 0x80;
    private const int Masked = 0x80;

    private byte[] _bytes = [];
    private int _start;
    private int _end;

    public ReadOnlySpan<byte> Waiting => _bytes.AsSpan(_start, _end - _start);

    public ReadOnlyMemory<byte> WaitingMemory => _bytes.AsMemory(_start, _end - _start);

    public bool IsEmpty => _start == _end;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Reserve(bytes.Length));
        _end += bytes.Length;
    }

    public void AppendFrame(byte opcode, ReadOnlySpan<byte> payload)
    {
        var frame = Reserve(payload.Length + 14);
        frame[0] = (byte)(Final | opcode);
        var header = WriteLength(frame, payload.Length);
        var mask = (uint)Random.Shared.Next();
        MemoryMarshal.Write(frame[header..], mask);
        Mask(payload, frame[(header + 4)..], mask);
        _end += header + 4 + payload.Length;
    }

    /// <summary>So many bytes have left.</summary>
    public void Take(int count)
    {
        _start += count;
        if (_start == _end)
        {
            _start = _end = 0;
        }
    }

    /// <summary>Gives the memory back: most connections never send again after their login.</summary>
    public void Release() => (_bytes, _start, _end) = ([], 0, 0);

    private static int WriteLength(Span<byte> frame, int length)
    {
        if (length < 126)
        {
            frame[1] = (byte)(Masked | length);
            return 2;
        }

        if (length <= ushort.MaxValue)
        {
            frame[1] = Masked | 126;
            BinaryPrimitives.WriteUInt16BigEndian(frame[2..], (ushort)length);
            return 4;
        }

        frame[1] = Masked | 127;
        BinaryPrimitives.WriteUInt64BigEndian(frame[2..], (ulong)length);
        return 10;
    }

    private static void Mask(ReadOnlySpan<byte> payload, Span<byte> destination, uint mask)
    {
        var wide = mask | ((ulong)mask << 32);
        var index = 0;
        for (; payload.Length - index >= sizeof(ulong); index += sizeof(ulong))
        {
            MemoryMarshal.Write(destination[index..], MemoryMarshal.Read<ulong>(payload[index..]) ^ wide);
        }

        for (; index < payload.Length; index++)
        {
            destination[index] = (byte)(payload[index] ^ (byte)(wide >> (8 * (index & 7))));
        }
    }

    private Span<byte> Reserve(int count)
    {
        if (_bytes.Length - _end < count)
        {
            var waiting = Waiting;
            var bytes = waiting.Length + count <= _bytes.Length ? _bytes : new byte[Math.Max(1024, 2 * (waiting.Length + count))];
            waiting.CopyTo(bytes);
            (_bytes, _start, _end) = (bytes, 0, waiting.Length);
        }

        return _bytes.AsSpan(_end);
    }
}
