using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Outbox;

public sealed class PartitionDrainerTests
{
    [Fact(Timeout = 60_000)]
    public async Task Run_ReadingAndRemovingThrowWhatNobodyExpects_LogsItAndGoesOn()
    {
        await using var quantum = await QuantumServer.StartAsync();
        await using var parts = new QuantumParts(quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
        using var log = new LogLines();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var memory = new MemoryOutbox();
        var outbox = new FaultyOutbox(memory);
        var backplane = new BackplaneOverMemory(memory);
        var tokens = new SenderTokens(
            new(new MemorySessionStore(TimeProvider.System), new SessionRecordReader(new SessionOptions(), TimeProvider.System)),
            parts.Options, TimeProvider.System, NullLogger<SenderTokens>.Instance);
        var saver = new Saver(
            parts.Client, tokens, backplane, new SavedNotices(backplane, TimeProvider.System),
            new MemberLists(parts.Client, TimeProvider.System), NullLogger<Saver>.Instance);
        var processor = new OutboxEntryProcessor(
            0, outbox, saver, new SaveConcurrency(4, TimeProvider.System), new OutboxOptions(20, 4), TimeProvider.System,
            loggers.CreateLogger<OutboxEntryProcessor>());
        using var drainer = new PartitionDrainer(0, outbox, processor, TimeProvider.System, loggers);
        using var stopping = new CancellationTokenSource();
        memory.Add(Drafts.Of(new RoomKey(3, 1), 7, "a1").Json.Number(1).ToArray(), "rest");

        var running = drainer.RunAsync(stopping.Token);

        await quantum.WaitForSavedAsync(1);
        await Eventually.TrueAsync(
            () => memory.SizeAsync().AsTask().GetAwaiter().GetResult().Waiting == 0, TimeSpan.FromSeconds(10), () => "it was not removed");
        log.All.Should().Contain(line => line.Contains("[912]", StringComparison.Ordinal))
            .And.Contain(line => line.Contains("[921]", StringComparison.Ordinal));
        await stopping.CancelAsync();
        await running.WaitAsync(TimeSpan.FromSeconds(10));
    }

    /// <summary>The first reading and the first removal fail.</summary>
    private sealed class FaultyOutbox(IOutbox outbox) : IOutbox
    {
        private bool _hasFailedToRead;
        private bool _hasFailedToRemove;

        public int Partitions => outbox.Partitions;

        public ValueTask<IReadOnlyList<OutboxEntry>> ReadAsync(int partition, string after, int count) =>
            FailsFirst(ref _hasFailedToRead) ? throw new InvalidOperationException("reading") : outbox.ReadAsync(partition, after, count);

        public ValueTask RemoveAsync(int partition, string entryId) =>
            FailsFirst(ref _hasFailedToRemove) ? throw new InvalidOperationException("removing") : outbox.RemoveAsync(partition, entryId);

        public ValueTask<bool> TryLeaseAsync(int partition) => outbox.TryLeaseAsync(partition);

        public ValueTask ReleaseAsync(int partition) => outbox.ReleaseAsync(partition);

        public ValueTask MoveToDeadLettersAsync(int partition, OutboxEntry entry, string reason) =>
            outbox.MoveToDeadLettersAsync(partition, entry, reason);

        public ValueTask<IReadOnlyList<int>> FreeAsync() => outbox.FreeAsync();

        public ValueTask<int> CountNodesAsync() => outbox.CountNodesAsync();

        public ValueTask SignOffAsync() => outbox.SignOffAsync();

        public ValueTask<OutboxSize> SizeAsync() => outbox.SizeAsync();

        public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled) => outbox.ListenAsync(filled);

        private static bool FailsFirst(ref bool hasFailed) => !hasFailed && (hasFailed = true);
    }
}
