using System.Buffers;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Files;

/// <summary>A held file as a stream to read and seek in; it has one chunk in memory at most. Not thread-safe, like any stream.</summary>
/// <param name="length">The file's size in bytes.</param>
internal sealed class StoredFileStream(IFileStore store, FileId id, long length) : Stream
{
    private IMemoryOwner<byte>? _chunk;
    private int _number = -1;
    private long _position;
    private long _taken;

    /// <summary>The bytes that have been read so far; may be asked for from any thread.</summary>
    public long Taken => Volatile.Read(ref _taken);

    public override bool CanRead => true;

    public override bool CanSeek => true;

    public override bool CanWrite => false;

    public override long Length => length;

    public override long Position
    {
        get => _position;
        set => Seek(value, SeekOrigin.Begin);
    }

    /// <exception cref="FileGoneException">It is no longer held.</exception>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        cancellationToken.ThrowIfCancellationRequested();
        if (_position >= length || buffer.IsEmpty)
        {
            return 0;
        }

        var number = (int)(_position / IFileStore.ChunkBytes);
        if (number != _number)
        {
            Release();
            _chunk = await store.ReadAsync(id, number) ?? throw new FileGoneException(id);
            _number = number;
        }

        var rest = _chunk!.Memory[(int)(_position % IFileStore.ChunkBytes)..];
        var count = Math.Min(buffer.Length, rest.Length);
        rest[..count].CopyTo(buffer);
        _position += count;
        Volatile.Write(ref _taken, _taken + count);
        if (count == rest.Length)
        {
            // A slow peer holds no buffer of ours meanwhile.
            Release();
        }

        return count;
    }

    public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
        ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

    public override long Seek(long offset, SeekOrigin origin)
    {
        var position = offset + origin switch
        {
            SeekOrigin.Begin => 0,
            SeekOrigin.Current => _position,
            _ => length,
        };
        ArgumentOutOfRangeException.ThrowIfNegative(position, nameof(offset));
        return _position = position;
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException("A file is read without blocking.");

    public override void Flush()
    {
    }

    public override void SetLength(long value) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    protected override void Dispose(bool disposing)
    {
        Release();
        base.Dispose(disposing);
    }

    private void Release()
    {
        _chunk?.Dispose();
        (_chunk, _number) = (null, -1);
    }
}
