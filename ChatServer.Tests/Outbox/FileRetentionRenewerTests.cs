using ChatServer.Embedded;
using ChatServer.Files;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Configuration.Support;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Outbox;

/// <summary>An outage of Quantum may last longer than files are held.</summary>
public sealed class FileRetentionRenewerTests
{
    private static readonly FilesOptions Options = FilesOptions.Read(TestSettings.Reader());

    [Fact]
    public async Task AFile_ThatWaitsForQuantum_OutlivesItsRetention()
    {
        var time = new FakeTimeProvider();
        var (store, outbox) = (new MemoryFileStore(Options, time), new MemoryOutbox(time));
        var (waiting, saved) = (await HoldAsync(store), await HoldAsync(store));
        outbox.Add(new(3, 1), 1, Drafts.Of(new(3, 1), 7, "a1").Json.Number(1).ToArray());
        var message = MessageComposer.File(
            new(3, 1), 7, "f1"u8, new(waiting.ToString(), "a", "b/c", 3, "x", "/files/"), "2026-01-01T10:00:00.000Z");
        outbox.Add(new(3, 1), 2, message.Number(2).ToArray());
        using var keeper = new FileRetentionRenewer(outbox, store, Options, time, NullLogger<FileRetentionRenewer>.Instance);
        await keeper.StartAsync(CancellationToken.None);

        for (var quarter = 0; quarter < 12; quarter++)
        {
            time.Advance(Options.Retention / 4);
            await Task.Delay(20);
        }

        (await store.FindAsync(saved)).Should().BeNull();
        (await store.FindAsync(waiting)).Should().NotBeNull();
        await keeper.StopAsync(CancellationToken.None);
    }

    [Fact]
    public async Task AFile_WhoseNodesAreRestartedAgainAndAgain_OutlivesItsRetention()
    {
        var time = new FakeTimeProvider();
        var (store, outbox) = (new MemoryFileStore(Options, time), new MemoryOutbox(time));
        var waiting = await HoldAsync(store);
        var message = MessageComposer.File(
            new(3, 1), 7, "f1"u8, new(waiting.ToString(), "a", "b/c", 3, "x", "/files/"), "2026-01-01T10:00:00.000Z");
        outbox.Add(new(3, 1), 2, message.Number(2).ToArray());

        for (var restart = 0; restart < 12; restart++)
        {
            using var keeper = new FileRetentionRenewer(outbox, store, Options, time, NullLogger<FileRetentionRenewer>.Instance);
            await keeper.StartAsync(CancellationToken.None);
            time.Advance(OutboxOptions.FirstRenewalWithin);
            await Task.Delay(20);
            time.Advance((Options.Retention / 4) - (2 * OutboxOptions.FirstRenewalWithin));
            await Task.Delay(20);
            await keeper.StopAsync(CancellationToken.None);
        }

        (await store.FindAsync(waiting)).Should().NotBeNull();
    }

    private static async Task<FileId> HoldAsync(MemoryFileStore store)
    {
        var id = store.NewId(new(3, 1));
        await store.WriteAsync(id, 0, new byte[3]);
        await store.CompleteAsync(id, new("a", "b/c", 3, "x"));
        return id;
    }
}
