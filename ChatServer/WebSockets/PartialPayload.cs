using System.Buffers;

namespace ChatServer.WebSockets;

/// <summary>
/// Payload that did not come in one piece, in a buffer rented while there is some. It grows with what has come, not with what a header
/// promises: a peer can't make the server allocate memory by a header alone.
/// </summary>
internal struct PartialPayload
{
    private const int LeastBytes = 128;

    private byte[]? _buffer;
    private int _length;

    public readonly int Length => _length;

    public readonly bool HoldsBuffer => _buffer is not null;

    public readonly ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    public void Append(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length > (_buffer?.Length ?? 0) - _length)
        {
            Grow(_length + bytes.Length);
        }

        bytes.CopyTo(_buffer.AsSpan(_length));
        _length += bytes.Length;
    }

    public void Release()
    {
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = null;
        _length = 0;
    }

    private void Grow(int needed)
    {
        var larger = ArrayPool<byte>.Shared.Rent(Math.Max(LeastBytes, Math.Max(needed, _length * 2)));
        Bytes.CopyTo(larger);
        if (_buffer is not null)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }

        _buffer = larger;
    }
}
