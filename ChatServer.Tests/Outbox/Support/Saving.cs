using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Quantum.Support;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Outbox.Support;

/// <summary>What saves messages, put together by hand.</summary>
internal static class Saving
{
    public static readonly QuantumOptions Singly = new(new Uri("http://127.0.0.1:1/"), TimeSpan.FromSeconds(5));

    public static SaveConcurrency Places(int most, TimeProvider time, QuantumOptions? options = null) =>
        new(most, new BulkSaves(options ?? Singly, time, NullLogger<BulkSaves>.Instance), time);

    public static Saver Saver(
        QuantumParts parts, BackplaneOverMemory backplane, MemorySessionStore sessions, TimeProvider time, QuantumOptions? options = null)
    {
        var session = new SessionOptions();
        var tokens = new SenderTokens(
            new(sessions, new SessionRecordReader(session, time), session, time), options ?? parts.Options, time,
            NullLogger<SenderTokens>.Instance);
        return new(
            parts.Client, tokens, new BulkSaves(options ?? parts.Options, time, NullLogger<BulkSaves>.Instance),
            new SavedNotices(backplane, time), new MemberLists(parts.Client, time));
    }

    public static RoomDrainer Drainer(
        RoomKey room, IOutbox outbox, Saver saver, SaveConcurrency places, TimeProvider time, ILogger<RoomDrainer>? logger = null) =>
        new(room, outbox, saver, places, new ReadAhead(), new OutboxOptions(20, 4), time, logger ?? NullLogger<RoomDrainer>.Instance);

    /// <summary>A message of a room, as an outbox has it.</summary>
    public static PendingSave Pending(RoomKey room, long seq, string? identifier = null, long user = 7)
    {
        var json = Drafts.Of(room, user, identifier ?? $"id{seq}").Json.Number(seq).ToArray();
        return new($"{seq}", seq, json, StoredMessage.Read(json));
    }

    /// <summary>Ends a call for one message.</summary>
    public static void End(this SaveTurn turn, SaveEnd end) =>
        turn.SaveAsync(
            [Pending(new(1, 1), 1)], (_, _) => Task.FromResult<IReadOnlyList<SaveResult>>([ResultOf(end)]), CancellationToken.None)
            .IsFaulted.Should().BeFalse();

    public static SaveResult ResultOf(SaveEnd end) => end switch
    {
        SaveEnd.Saved => new SaveOutcome.Saved(null, null, null, null, null),
        SaveEnd.Answered => new SaveOutcome.Refused("no"),
        SaveEnd.Throttled => new QuantumUnavailableException("slowly") { IsThrottled = true },
        SaveEnd.Failed => new QuantumUnavailableException("broken"),
        _ => new InvalidOperationException("not asked"),
    };

    /// <summary>All that a room has to save.</summary>
    public static async Task<IReadOnlyList<PendingSave>> UnsavedOfAsync(this IOutbox outbox, RoomKey room) =>
        (await outbox.SettleAsync(room, new(""), readOn: true)).Messages;

    /// <summary>The first messages of a room have come to their end.</summary>
    public static async Task<RoomPage> SettleAsync(
        this IOutbox outbox, RoomKey room, int count, string? refusal = null, bool readOn = false)
    {
        var page = await outbox.SettleAsync(room, new(""), readOn: true);
        var done = new Settlement(page.Epoch);
        foreach (var pending in page.Messages.Take(count))
        {
            done.Add(pending, refusal);
        }

        return await outbox.SettleAsync(room, done, readOn);
    }
}
