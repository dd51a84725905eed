using System.Buffers;

namespace ChatServer.Files;

/// <summary>
/// The chunks that uploads of this node have in memory, together at most <see cref="FilesOptions.BufferBytes"/>. An upload holds one while
/// it fills it and while it is written; the others wait, and their bytes wait in their sockets.
/// </summary>
internal sealed class UploadBuffers(FilesOptions options) : IDisposable
{
    private readonly SemaphoreSlim _free = new(options.BufferBytes / IFileStore.ChunkBytes);

    /// <summary>How many are free now.</summary>
    public int Free => _free.CurrentCount;

    /// <returns>At least <see cref="IFileStore.ChunkBytes"/>; null if none became free in time.</returns>
    public async ValueTask<byte[]?> RentAsync() =>
        _free.Wait(0) || await _free.WaitAsync(FilesOptions.BufferPatience) ? ArrayPool<byte>.Shared.Rent(IFileStore.ChunkBytes) : null;

    public void Return(byte[] buffer)
    {
        ArrayPool<byte>.Shared.Return(buffer);
        _free.Release();
    }

    public void Dispose() => _free.Dispose();
}
