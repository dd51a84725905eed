using ChatServer.Connections;

namespace ChatServer.Rooms.Fanout;

/// <summary>Bytes that are written one behind the other into a rented buffer, which goes back when they are cleared.</summary>
internal struct PooledBytes
{
    private const int DoubledUpTo = 64 * 1024;

    private byte[]? _buffer;

    public int Length { get; private set; }

    public readonly ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public readonly ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

    public void Write(ReadOnlySpan<byte> bytes) => bytes.CopyTo(Reserve(bytes.Length));

    /// <summary>The place of the next bytes, to be filled at once.</summary>
    public Span<byte> Reserve(int count)
    {
        var had = _buffer?.Length ?? 0;
        if (had - Length < count)
        {
            var larger = SendBuffers.Rent(Math.Max(Length + count, Math.Min(DoubledUpTo, 2 * had)));
            Written.CopyTo(larger);
            GiveBack();
            _buffer = larger;
        }

        Length += count;
        return _buffer.AsSpan(Length - count, count);
    }

    public void Clear()
    {
        GiveBack();
        Length = 0;
    }

    private void GiveBack()
    {
        if (_buffer is not null)
        {
            SendBuffers.Return(_buffer);
            _buffer = null;
        }
    }
}
