using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using ChatServer.Files;
using ChatServer.Protocol;

namespace ChatServer.Embedded;

/// <summary>The files of the embedded default: in this process, bounded, gone with it.</summary>
internal sealed class MemoryFileStore(FilesOptions options, TimeProvider time) : IFileStore
{
    /// <summary>What all files together may hold.</summary>
    public const long MaxBytes = 256L * 1024 * 1024;

    private readonly Lock _gate = new();
    private readonly Dictionary<FileId, Held> _files = [];
    private long _bytes;

    public FileId NewId(RoomKey room) => FileId.New(0);

    public ValueTask WriteAsync(FileId id, int chunk, ReadOnlyMemory<byte> bytes)
    {
        lock (_gate)
        {
            ForgetOld();
            if (_bytes + bytes.Length > MaxBytes)
            {
                throw new NoSpaceException($"The embedded store holds {MaxBytes} bytes.");
            }

            if (!_files.TryGetValue(id, out var file))
            {
                _files[id] = file = new();
            }

            file.Until = time.GetUtcNow() + (2 * options.UploadTimeout);
            _bytes += bytes.Length - (file.Chunks.GetValueOrDefault(chunk)?.Length ?? 0);
            file.Chunks[chunk] = bytes.ToArray();
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Nothing of this process can fail before the file is accepted, so it stays from here on.</summary>
    public ValueTask<bool> CompleteAsync(FileId id, StoredFile file)
    {
        lock (_gate)
        {
            var held = _files.GetValueOrDefault(id);
            if ((held?.Chunks.Count ?? 0) != IFileStore.ChunksOf(file.Size))
            {
                return new(false);
            }

            _files[id] = held ??= new();
            (held.File, held.Until) = (file, time.GetUtcNow() + options.Retention);
            return new(true);
        }
    }

    public ValueTask<StoredFile?> FindAsync(FileId id)
    {
        lock (_gate)
        {
            return new(TryGet(id, out var held) ? held.File : null);
        }
    }

    public ValueTask<IMemoryOwner<byte>?> ReadAsync(FileId id, int chunk)
    {
        lock (_gate)
        {
            return new(TryGet(id, out var held) && held.Chunks.TryGetValue(chunk, out var bytes) ? new Lent(bytes) : null);
        }
    }

    public ValueTask KeepAsync(FileId id)
    {
        lock (_gate)
        {
            if (TryGet(id, out var held))
            {
                held.Until = time.GetUtcNow() + options.Retention;
            }
        }

        return ValueTask.CompletedTask;
    }

    public ValueTask DeleteAsync(FileId id)
    {
        lock (_gate)
        {
            Forget(id);
        }

        return ValueTask.CompletedTask;
    }

    private bool TryGet(FileId id, [NotNullWhen(true)] out Held? held)
    {
        ForgetOld();
        return _files.TryGetValue(id, out held);
    }

    private void ForgetOld()
    {
        var now = time.GetUtcNow();
        foreach (var id in _files.Where(file => file.Value.Until <= now).Select(file => file.Key).ToList())
        {
            Forget(id);
        }
    }

    private void Forget(FileId id)
    {
        if (_files.Remove(id, out var held))
        {
            _bytes -= held.Chunks.Values.Sum(chunk => (long)chunk.Length);
        }
    }

    private sealed class Held
    {
        public Dictionary<int, byte[]> Chunks { get; } = [];

        public StoredFile? File { get; set; }

        public DateTimeOffset Until { get; set; }
    }

    /// <summary>A chunk is never changed, so that it needs no copy.</summary>
    private sealed class Lent(byte[] bytes) : IMemoryOwner<byte>
    {
        public Memory<byte> Memory => bytes;

        public void Dispose()
        {
        }
    }
}
