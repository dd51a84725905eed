using System.Buffers;

namespace ChatServer.Rooms;

/// <summary>Bytes that are written one behind the other into a rented buffer, which goes back when they are cleared.</summary>
internal struct PooledBytes
{
    private const int DoubledUpTo = 64 * 1024;
    private const int MostSmall = 8 * 1024;
    private const int MostSmallEach = 512;

    /// <summary>
    /// The shared pool keeps 32 buffers of a size for each core: too few where hundreds of rooms fill theirs at once. This one keeps 8 MiB at most.
    /// </summary>
    private static readonly ArrayPool<byte> Small = ArrayPool<byte>.Create(MostSmall, MostSmallEach);

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
            var needed = Math.Max(Length + count, Math.Min(DoubledUpTo, 2 * had));
            var larger = PoolFor(needed).Rent(needed);
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
            PoolFor(_buffer.Length).Return(_buffer);
            _buffer = null;
        }
    }

    private static ArrayPool<byte> PoolFor(int length) => length <= MostSmall ? Small : ArrayPool<byte>.Shared;
}
