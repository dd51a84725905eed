using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Outbox;

public sealed class LaneDrainerTests
{
    [Fact(Timeout = 60_000)]
    public async Task Run_LookingAndSettlingThrowWhatNobodyExpects_LogsItAndGoesOn()
    {
        await using var quantum = await QuantumServer.StartAsync();
        await using var parts = new QuantumParts(quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
        using var log = new LogLines();
        using var loggers = LoggerFactory.Create(logging => logging.AddProvider(log));
        var memory = new MemoryOutbox(TimeProvider.System);
        var outbox = new FaultyOutbox(memory);
        var sessions = new MemorySessionStore(TimeProvider.System);
        await sessions.KeepTokenAsync(7, "rest"u8.ToArray(), TimeSpan.FromDays(1));
        var saver = Saving.Saver(parts, new BackplaneOverMemory(memory), sessions, TimeProvider.System);
        var places = Saving.Places(4, TimeProvider.System);
        await using var drainer = new LaneDrainer(
            0, outbox, room => Saving.Drainer(room, outbox, saver, places, TimeProvider.System, loggers.CreateLogger<RoomDrainer>()),
            TimeProvider.System, loggers.CreateLogger<LaneDrainer>());
        memory.Add(new(3, 1), 1, Drafts.Of(new RoomKey(3, 1), 7, "a1").Json.Number(1).ToArray());

        drainer.Start();

        await quantum.WaitForSavedAsync(1);
        await Eventually.TrueAsync(
            () => memory.SizeAsync().AsTask().GetAwaiter().GetResult().Waiting == 0, TimeSpan.FromSeconds(10), () => "it was not settled");
        log.All.Should().Contain(line => line.Contains("[912]", StringComparison.Ordinal))
            .And.Contain(line => line.Contains("[921]", StringComparison.Ordinal));
    }

    /// <summary>The first look and the first settling fail.</summary>
    private sealed class FaultyOutbox(IOutbox outbox) : OutboxWrapper(outbox)
    {
        private bool _hasFailedToLook;
        private bool _hasFailedToSettle;

        public override ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int lane) =>
            FailsFirst(ref _hasFailedToLook) ? throw new InvalidOperationException("looking") : base.UnsavedAsync(lane);

        public override ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn) =>
            !done.IsEmpty && FailsFirst(ref _hasFailedToSettle)
                ? throw new InvalidOperationException("settling")
                : base.SettleAsync(room, done, readOn);

        private static bool FailsFirst(ref bool hasFailed) => !hasFailed && (hasFailed = true);
    }
}
