using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Configuration.Support;
using ChatServer.Tests.Files.Support;

namespace ChatServer.Tests.Files;

/// <summary>What holds for every store and quota, whatever they are made of.</summary>
public abstract class FileStoreContract
{
    private protected static readonly FilesOptions Options = FilesOptions.Read(TestSettings.Reader(("CHAT_UPLOAD_QUOTA_BYTES", "1000")));

    private protected abstract IFileStore Store { get; }

    private protected abstract IUploadQuota Quota { get; }

    [Fact]
    public async Task AFile_WrittenAndCompleted_IsFoundAndReadWherever()
    {
        var bytes = SentFile.Bytes(IFileStore.ChunkBytes + 1000);
        var (id, file) = await HoldAsync(bytes);

        (await Store.FindAsync(id)).Should().Be(file);
        await using var stream = new StoredFileStream(Store, id, file.Size);
        var all = new byte[bytes.Length];
        await stream.ReadExactlyAsync(all);
        all.Should().Equal(bytes);
        stream.Seek(IFileStore.ChunkBytes - 5, SeekOrigin.Begin);
        await stream.ReadExactlyAsync(all.AsMemory(0, 10));
        all[..10].Should().Equal(bytes[(IFileStore.ChunkBytes - 5)..(IFileStore.ChunkBytes + 5)]);
    }

    [Fact]
    public async Task AFile_NotCompleted_IsNotFoundAndWithoutAChunkItCanNotBe()
    {
        var id = Store.NewId(Drafts.NewRoom());
        await Store.WriteAsync(id, 0, new byte[IFileStore.ChunkBytes]);

        (await Store.FindAsync(id)).Should().BeNull();
        (await Store.CompleteAsync(id, new("a", "b/c", IFileStore.ChunkBytes + 1, "x"))).Should().BeFalse();
        (await Store.FindAsync(id)).Should().BeNull();
        (await Store.ReadAsync(id, 1)).Should().BeNull();
    }

    [Fact]
    public async Task AChunk_WrittenAgain_TakesThePlaceOfTheFirst()
    {
        var id = Store.NewId(Drafts.NewRoom());
        await Store.WriteAsync(id, 0, new byte[5]);
        await Store.WriteAsync(id, 0, SentFile.Bytes(9));

        using var chunk = await Store.ReadAsync(id, 0);
        chunk!.Memory.ToArray().Should().Equal(SentFile.Bytes(9));
        (await Store.CompleteAsync(id, new("a", "b/c", 9, "x"))).Should().BeTrue();
    }

    [Fact]
    public async Task AFile_Deleted_IsGoneAndItsStreamSaysSo()
    {
        var (id, file) = await HoldAsync(SentFile.Bytes(100));

        await Store.DeleteAsync(id);
        await Store.DeleteAsync(id);

        (await Store.FindAsync(id)).Should().BeNull();
        await using var stream = new StoredFileStream(Store, id, file.Size);
        var read = async () => await stream.ReadExactlyAsync(new byte[1]);
        await read.Should().ThrowAsync<FileGoneException>();
    }

    [Fact]
    public void NewId_EachTime_IsAnotherThatCanBeReadBack()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => Store.NewId(Drafts.NewRoom())).ToList();

        ids.Distinct().Should().HaveCount(1000);
        foreach (var id in ids)
        {
            FileId.TryParse(id.ToString(), out var read).Should().BeTrue();
            read.Should().Be(id);
        }
    }

    [Fact]
    public async Task Quota_Exceeded_CountsNothingUntilSomeIsGivenBack()
    {
        (await Quota.TryTakeAsync(1, 600)).Should().NotBeNull();
        (await Quota.TryTakeAsync(1, 401)).Should().BeNull();
        var hour = await Quota.TryTakeAsync(1, 400);
        (await Quota.TryTakeAsync(1, 1)).Should().BeNull();
        (await Quota.TryTakeAsync(2, 1000)).Should().NotBeNull("it is each user's own");
        await Quota.GiveBackAsync(1, hour!.Value - 1, 1000);
        (await Quota.TryTakeAsync(1, 1)).Should().BeNull("what the last hour gives back is not this one's");
        await Quota.GiveBackAsync(1, hour.Value, 300);
        (await Quota.TryTakeAsync(1, 300)).Should().NotBeNull();
        await Quota.GiveBackAsync(1, hour.Value, 5000);
        (await Quota.TryTakeAsync(1, 1001)).Should().BeNull("giving back earns nobody more than the limit");
    }

    private protected async Task<(FileId Id, StoredFile File)> HoldAsync(byte[] bytes)
    {
        var id = Store.NewId(Drafts.NewRoom());
        for (var chunk = 0; chunk < IFileStore.ChunksOf(bytes.Length); chunk++)
        {
            var from = chunk * IFileStore.ChunkBytes;
            await Store.WriteAsync(id, chunk, bytes.AsMemory(from, Math.Min(IFileStore.ChunkBytes, bytes.Length - from)));
        }

        var file = new StoredFile("Überblick.pdf", "application/pdf", bytes.Length, SentFile.Sha256(bytes));
        (await Store.CompleteAsync(id, file)).Should().BeTrue();
        return (id, file);
    }
}
