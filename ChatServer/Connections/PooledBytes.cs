namespace ChatServer.Connections;

/// <summary>
/// Bytes that are written one behind the other into a rented buffer, which goes back when they are cleared. What is meant for many peers
/// need not be copied for those that can't take it now: they may hold on to the buffer (<see cref="TryShare"/>). One thread at a time.
/// </summary>
internal sealed class PooledBytes
{
    private const int DoubledUpTo = 64 * 1024;

    private byte[]? _buffer;
    private SharedBytes? _shared;

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _buffer.AsSpan(0, Length);

    public ReadOnlyMemory<byte> WrittenMemory => _buffer.AsMemory(0, Length);

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

    /// <summary>The buffer with what is written so far, for a peer to hold on to; what is written later comes behind it.</summary>
    /// <returns>Null if peers hold <see cref="ConnectionOptions.MaxSharedBytes"/> already.</returns>
    public SharedBytes? TryShare() => _shared ??= SharedBytes.TryMake(_buffer!);

    private void GiveBack()
    {
        if (_shared is not null)
        {
            _shared.LetGo();
        }
        else if (_buffer is not null)
        {
            SendBuffers.Return(_buffer);
        }

        (_buffer, _shared) = (null, null);
    }
}
