using System.Buffers;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Files;

/// <summary>
/// Holds files until Quantum has them, in chunks, so that nobody ever has a whole file in memory. Any node finds a file by its id. What is
/// not completed, or not accepted, expires within minutes; what is accepted stays for <see cref="FilesOptions.Retention"/> and
/// longer while it waits for Quantum.
/// </summary>
internal interface IFileStore
{
    /// <summary>Bytes of every chunk but the last one, which may be shorter.</summary>
    const int ChunkBytes = 128 * 1024;

    /// <summary>How many chunks a file of that size has; none if it is empty.</summary>
    static int ChunksOf(long size) => (int)((size + ChunkBytes - 1) / ChunkBytes);

    /// <summary>A name for a file that is to be sent to a room.</summary>
    FileId NewId(RoomKey room);

    /// <summary>Stores a chunk, in place of an earlier one of that number.</summary>
    /// <param name="chunk">Its number, from 0.</param>
    /// <exception cref="NoSpaceException">The store is full.</exception>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask WriteAsync(FileId id, int chunk, ReadOnlyMemory<byte> bytes);

    /// <summary>
    /// Says what the file is: from now on it can be found. It stays only if it is accepted (<see cref="MessageDraft.File"/>) soon.
    /// </summary>
    /// <returns>False if chunks are missing: they are no longer held.</returns>
    /// <exception cref="NoSpaceException">The store is full.</exception>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<bool> CompleteAsync(FileId id, StoredFile file);

    /// <returns>Null if there is no such file, or it is no longer held.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<StoredFile?> FindAsync(FileId id);

    /// <returns>The chunk's bytes, to be given back; null if it is not held.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IMemoryOwner<byte>?> ReadAsync(FileId id, int chunk);

    /// <summary>Holds a file for another <see cref="FilesOptions.Retention"/> from now on.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask KeepAsync(FileId id);

    /// <summary>Deletes a file, complete or not.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; what is not accepted expires by itself.</exception>
    ValueTask DeleteAsync(FileId id);
}

/// <summary>What a file is.</summary>
/// <param name="Name">A bare file name, as <see cref="FileName.Clean"/> makes them.</param>
/// <param name="ContentType">A media type without parameters.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Of its bytes, in lower-case hexadecimal digits.</param>
internal sealed record StoredFile(string Name, string ContentType, long Size, string Sha256);

/// <summary>The store is full for now.</summary>
internal sealed class NoSpaceException(string message, Exception? inner = null) : Exception(message, inner);

/// <summary>A file is no longer held.</summary>
internal sealed class FileGoneException(FileId id) : Exception($"File {id.Partition}-… is no longer held.");
