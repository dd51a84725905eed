using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Outbox;

public sealed class OutboxEntryProcessorTests : IAsyncLifetime
{
    private const int Limit = 30_000;

    private static readonly RoomKey Room = new(3, 1);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 10, 0, 0, TimeSpan.Zero));
    private readonly MemoryOutbox _outbox = new();
    private readonly MemorySessionStore _sessions;
    private QuantumServer? _quantum;
    private QuantumParts? _parts;

    public OutboxEntryProcessorTests() => _sessions = new(_time);

    public async ValueTask InitializeAsync()
    {
        _quantum = await QuantumServer.StartAsync();
        _quantum.Instead = (call, context) =>
        {
            var isKnown = call.Authorization == "Token alive";
            context.Response.StatusCode = isKnown ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;
            return Task.FromResult(!isKnown);
        };
        _parts = new QuantumParts(_quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        await _parts!.DisposeAsync();
        await _quantum!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Try_TheSenderHasNoTokenForADay_IsADeadLetterAfterAnHourOfWaitingHere()
    {
        var processor = NewProcessor();
        var pending = Post();
        var trouble = processor.NewTrouble(pending);
        _time.Advance(OutboxOptions.TokenAwaitedFor);

        for (var minutes = 0; minutes < 60; minutes++)
        {
            (await TryAsync(processor, pending, trouble)).Should().BeFalse("after an outage the sender has time to log in");
            trouble.Pause.Should().BeLessThanOrEqualTo(OutboxOptions.MaxPauseWithoutToken * 1.5);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        (await TryAsync(processor, pending, trouble)).Should().BeTrue();
        (await _outbox.SizeAsync()).Should().Be(new OutboxSize(0, 1));
        trouble.Attempts.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Try_TheSenderLogsInAgain_IsSavedWithTheNewToken()
    {
        var processor = NewProcessor();
        var pending = Post();
        var trouble = processor.NewTrouble(pending);
        (await TryAsync(processor, pending, trouble)).Should().BeFalse();

        _sessions.Put(
            new("again", 3, 7), """{"token_key":"alive","user":{"id":7},"company":{"id":3}}"""u8.ToArray(), TimeSpan.FromHours(1));

        (await TryAsync(processor, pending, trouble)).Should().BeTrue();
        _quantum!.Saved.Should().ContainSingle();
        (await _outbox.SizeAsync()).Should().Be(new OutboxSize(0, 0));
    }

    [Fact(Timeout = Limit)]
    public async Task Try_TheServicesOwnTokenIsRefused_WaitsForeverAndAsksNowAndThen()
    {
        var processor = NewProcessor("wrong");
        var pending = Post();
        var trouble = processor.NewTrouble(pending);
        for (var hour = 0; hour < 48; hour++)
        {
            (await TryAsync(processor, pending, trouble)).Should().BeFalse();
            (await TryAsync(processor, pending, trouble)).Should().BeFalse();
            _time.Advance(TimeSpan.FromHours(1));
        }

        _quantum!.Calls.Should().HaveCount(48).And.OnlyContain(call => call.Authorization == "Token wrong");
    }

    private static async Task<bool> TryAsync(OutboxEntryProcessor processor, PendingSave pending, SaveTrouble trouble)
    {
        using var turn = await processor.TakeTurnAsync(new RoomBacklog(Room), CancellationToken.None);
        return await processor.TryAsync(pending, trouble, turn, CancellationToken.None);
    }

    private OutboxEntryProcessor NewProcessor(string? serviceToken = null)
    {
        var backplane = new BackplaneOverMemory(_outbox);
        var tokens = new SenderTokens(
            new(_sessions, new SessionRecordReader(new SessionOptions(), _time)),
            _parts!.Options with { ServiceToken = serviceToken }, _time, NullLogger<SenderTokens>.Instance);
        var saver = new Saver(
            _parts.Client, tokens, backplane, new SavedNotices(backplane, _time), new MemberLists(_parts.Client, _time),
            NullLogger<Saver>.Instance);
        return new(
            0, _outbox, saver, new SaveConcurrency(4, _time), new OutboxOptions(20, 4), _time, NullLogger<OutboxEntryProcessor>.Instance);
    }

    private PendingSave Post()
    {
        var json = Drafts.Of(Room, 7, "a1", timestamp: "2026-01-01T10:00:00.000Z", token: "dead").Json.Number(1).ToArray();
        _outbox.Add(json, "dead");
        return new(new("1-0", json, "dead"), StoredMessage.Read(json));
    }
}
