using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Files;
using ChatServer.Tests.Files.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Embedded;

public sealed class MemoryFileStoreTests : FileStoreContract
{
    private readonly FakeTimeProvider _time = new();

    public MemoryFileStoreTests() => (Store, Quota) = (new MemoryFileStore(Options, _time), new MemoryUploadQuota(Options, _time));

    private protected override IFileStore Store { get; }

    private protected override IUploadQuota Quota { get; }

    [Fact]
    public async Task AFile_AfterItsRetention_IsGoneUnlessItIsKept()
    {
        var (id, _) = await HoldAsync(SentFile.Bytes(100));
        var (kept, _) = await HoldAsync(SentFile.Bytes(100));
        _time.Advance(Options.Retention / 2);
        await Store.KeepAsync(kept);

        _time.Advance(Options.Retention * 0.6);

        (await Store.FindAsync(id)).Should().BeNull();
        (await Store.FindAsync(kept)).Should().NotBeNull();
    }

    [Fact]
    public async Task Write_BeyondTheLimit_IsRefusedUntilSomethingGoes()
    {
        var ids = new List<FileId>();
        var chunk = new byte[16 * 1024 * 1024];
        for (long held = 0; held < MemoryFileStore.MaxBytes; held += chunk.Length)
        {
            ids.Add(Store.NewId(Drafts.NewRoom()));
            await Store.WriteAsync(ids[^1], 0, chunk);
        }

        var write = async () => await Store.WriteAsync(Store.NewId(Drafts.NewRoom()), 0, new byte[1]);
        await write.Should().ThrowAsync<NoSpaceException>();
        await Store.DeleteAsync(ids[0]);
        await write.Should().NotThrowAsync();
    }

    [Fact]
    public async Task Quota_InTheNextHour_IsWholeAgain()
    {
        await Quota.TryTakeAsync(9, 1000);
        (await Quota.TryTakeAsync(9, 1)).Should().BeNull();

        _time.Advance(TimeSpan.FromHours(1));

        (await Quota.TryTakeAsync(9, 1000)).Should().NotBeNull();
    }
}
