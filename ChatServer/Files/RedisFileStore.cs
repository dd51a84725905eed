using System.Buffers;
using System.Globalization;
using ChatServer.Protocol;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Files;

/// <summary>
/// Files in Redis: one hash per file, so that all of it expires in the same moment, a field per chunk, and four more once it is complete.
/// Each call carries one chunk, over <see cref="FileConnection"/>.
/// </summary>
internal sealed class RedisFileStore(FileConnection connection, RedisKeys keys, FilesOptions options) : IFileStore
{
    private static readonly string WriteScript = EmbeddedScript.Load("write-chunk.lua");
    private static readonly string CompleteScript = EmbeddedScript.Load("complete-file.lua");
    private static readonly RedisValue[] Description = ["name", "type", "size", "sha256"];

    private readonly long _uploadSeconds = (long)(options.UploadTimeout + FilesOptions.UnfinishedMargin).TotalSeconds;

    public FileId NewId(RoomKey room) => FileId.New(keys.PartitionOf(room));

    public async ValueTask WriteAsync(FileId id, int chunk, ReadOnlyMemory<byte> bytes) =>
        await FillAsync(WriteScript, id, [chunk, bytes, _uploadSeconds]);

    public async ValueTask<bool> CompleteAsync(FileId id, StoredFile file) =>
        (bool)await FillAsync(
            CompleteScript, id, [IFileStore.ChunksOf(file.Size), _uploadSeconds, file.Name, file.ContentType, file.Size, file.Sha256]);

    public async ValueTask<StoredFile?> FindAsync(FileId id) =>
        await RedisCalls.TryAsync(() => connection.Database.HashGetAsync(RedisKeys.File(id), Description))
            is [var name, var type, var size, { IsNull: false } sha256]
            ? new(name!, type!, (long)size, sha256!)
            : null;

    public async ValueTask<IMemoryOwner<byte>?> ReadAsync(FileId id, int chunk) =>
        await RedisCalls.TryAsync(
            () => connection.Database.HashGetLeaseAsync(RedisKeys.File(id), chunk.ToString(CultureInfo.InvariantCulture)));

    public async ValueTask KeepAsync(FileId id) =>
        await RedisCalls.TryAsync(() => connection.Database.KeyExpireAsync(RedisKeys.File(id), options.Retention));

    public async ValueTask DeleteAsync(FileId id) =>
        await RedisCalls.TryAsync(() => connection.Database.KeyDeleteAsync(RedisKeys.File(id)));

    private async ValueTask<RedisResult> FillAsync(string script, FileId id, RedisValue[] values)
    {
        try
        {
            return await RedisCalls.TryAsync(() => connection.Database.ScriptEvaluateAsync(script, [RedisKeys.File(id)], values));
        }
        catch (RedisUnavailableException exception) when (RedisFaults.IsOutOfMemory(exception.InnerException))
        {
            throw new NoSpaceException("Redis has no memory left.", exception);
        }
    }
}
