using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Outbox;

public sealed class SaverTests : IAsyncLifetime
{
    private const int Limit = 30_000;

    private static readonly RoomKey Room = new(3, 1);

    private QuantumServer? _quantum;
    private QuantumParts? _parts;

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        _quantum = await QuantumServer.StartAsync();
        _parts = new QuantumParts(_quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _parts!.DisposeAsync();
        await _quantum!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Save_MoreBytesThanACallMayHave_GoInPartsAndNothingBehindAFailureIsTried()
    {
        var calls = 0;
        Quantum.InsteadOfBatch = (_, context) =>
        {
            context.Response.StatusCode = ++calls == 2 ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            return Task.FromResult(calls == 2);
        };
        var messages = Enumerable.Range(1, 10).Select(seq => Large(seq, OutboxOptions.MaxBytesOfCall / 4)).ToList();

        var results = await NewSaver().SaveAsync(messages, CancellationToken.None);

        Quantum.Batches.Select(batch => string.Join(' ', batch.Select(call => call.Identifier))).Should()
            .Equal("id1 id2 id3", "id4 id5 id6");
        results.Take(3).Should().OnlyContain(result => result.Outcome is SaveOutcome.Saved);
        results.Skip(3).Should().HaveCount(7).And.OnlyContain(result => result.Error is QuantumUnavailableException);
    }

    [Fact(Timeout = Limit)]
    public async Task Save_RefusedAsAWhole_IsHalvedAndNothingBehindAFailureIsTried()
    {
        Quantum.InsteadOfBatch = (calls, context) =>
        {
            context.Response.StatusCode = calls.Count > 4 ? StatusCodes.Status413PayloadTooLarge
                : calls[0].Identifier == "id5" ? StatusCodes.Status503ServiceUnavailable : StatusCodes.Status200OK;
            return Task.FromResult(context.Response.StatusCode != StatusCodes.Status200OK);
        };

        var results = await NewSaver().SaveAsync(
            [.. Enumerable.Range(1, 16).Select(seq => Saving.Pending(Room, seq))], CancellationToken.None);

        Quantum.Batches.Select(batch => batch.Count).Should().Equal(16, 8, 4, 4);
        results.Take(4).Should().OnlyContain(result => result.Outcome is SaveOutcome.Saved);
        results.Skip(4).Should().HaveCount(12).And.OnlyContain(result => result.Error is QuantumUnavailableException);
    }

    private static PendingSave Large(long seq, int bytes)
    {
        var json = Drafts.Of(Room, 7, $"id{seq}", new string('x', bytes)).Json.Number(seq).ToArray();
        return new($"{seq}", seq, json, StoredMessage.Read(json));
    }

    private Saver NewSaver() => Saving.Saver(
        _parts!, new BackplaneOverMemory(), new MemorySessionStore(TimeProvider.System), TimeProvider.System,
        _parts!.Options with { SaveBatch = 100, ServiceToken = "service" });
}
