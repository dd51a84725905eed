using System.Collections.Concurrent;
using System.Text;
using System.Text.Json.Nodes;
using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Outbox;

public sealed class RoomDrainerTests : IAsyncLifetime
{
    private const int Limit = 60_000;

    private static readonly RoomKey Room = new(3, 1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2026, 1, 1, 10, 0, 0, TimeSpan.Zero));
    private readonly MemoryOutbox _outbox;
    private readonly MemorySessionStore _sessions;
    private readonly CancellationTokenSource _stopping = new();
    private QuantumServer? _quantum;
    private QuantumParts? _parts;

    public RoomDrainerTests() => (_outbox, _sessions) = (new(_time), new(_time));

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        _quantum = await QuantumServer.StartAsync();
        _parts = new QuantumParts(_quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
    }

    public async ValueTask DisposeAsync()
    {
        _stopping.Dispose();
        await _parts!.DisposeAsync();
        await _quantum!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Run_TheSenderHasNoTokenForADay_IsADeadLetterAfterAnHourOfWaitingHere()
    {
        KnowsOnly("alive");
        Post("dead");
        _time.Advance(OutboxOptions.TokenAwaitedFor);
        var running = Drain();

        for (var minutes = 0; minutes < 59; minutes++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Task.Delay(5);
        }

        running.IsCompleted.Should().BeFalse("after an outage the sender has time to log in");
        await AdvanceUntilAsync(TimeSpan.FromSeconds(15), () => running.IsCompleted);
        (await _outbox.SizeAsync()).Should().Be(new OutboxSize(0, 1, null));
    }

    [Fact(Timeout = Limit)]
    public async Task Run_TheSenderLogsInAgain_IsSavedWithTheNewToken()
    {
        KnowsOnly("alive");
        Post("dead");
        var running = Drain();
        await Eventually.TrueAsync(() => Quantum.Calls.Count == 1, Patience, () => "Quantum was not asked");

        _sessions.Put(
            new("again", 3, 7), """{"token_key":"alive","user":{"id":7},"company":{"id":3}}"""u8.ToArray(), TimeSpan.FromHours(1));

        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => running.IsCompleted);
        Quantum.Saved.Should().ContainSingle();
        (await _outbox.SizeAsync()).Should().Be(new OutboxSize(0, 0, null));
    }

    [Fact(Timeout = Limit)]
    public async Task Run_TheServicesOwnTokenIsRefused_WaitsForeverAndAsksNowAndThen()
    {
        KnowsOnly("alive");
        Post("dead");
        var running = Drain(serviceToken: "wrong");

        for (var hour = 0; hour < 48; hour++)
        {
            _time.Advance(TimeSpan.FromHours(1));
            await Task.Delay(10);
        }

        running.IsCompleted.Should().BeFalse();
        Quantum.Calls.Count.Should().BeInRange(10, 50);
        Quantum.Calls.Should().OnlyContain(call => call.Authorization == "Token wrong");
        await _stopping.CancelAsync();
        await running.WaitAsync(Patience);
    }

    [Fact(Timeout = Limit)]
    public async Task Run_AMessageThatQuantumRefuses_IsADeadLetterAndTheOthersAreSaved()
    {
        Quantum.Instead = async (call, context) =>
        {
            if (call.Identifier == "id2")
            {
                await context.Response.WriteAsync("""{"success":false,"message":"no"}""");
            }

            return call.Identifier == "id2";
        };
        Post("rest", messages: 3);

        await Drain().WaitAsync(Patience);

        Quantum.Saved.Select(call => call.Identifier).Should().Equal("id1", "id3");
        (await _outbox.SizeAsync()).Should().Be(new OutboxSize(0, 1, null));
    }

    [Fact(Timeout = Limit)]
    public async Task Run_ItIsMetWhileItSaves_SavesWhatCameInMeanwhile()
    {
        Post("rest");
        var drainer = Drainer(null);
        Quantum.Instead = (_, _) =>
        {
            _outbox.Add(Room, 2, Drafts.Of(Room, 7, "id2").Json.Number(2).ToArray());
            Quantum.Instead = (_, _) => Task.FromResult(false);
            return Task.FromResult(false);
        };

        await drainer.RunAsync(_stopping.Token).WaitAsync(Patience);

        Quantum.Saved.Select(call => call.Identifier).Should().Equal("id1", "id2");
    }

    [Fact(Timeout = Limit)]
    public async Task Run_WhatIsSavedCanNotBeNotedNow_DoesAllOfItAgain()
    {
        var told = new ConcurrentQueue<string>();
        _outbox.Tell = (_, json) => told.Enqueue(JsonNode.Parse(json.Span)!["identifier"]!.GetValue<string>());
        Post("rest", messages: 2);
        var outbox = new AwayOnce(_outbox);
        var saver = Saving.Saver(_parts!, new BackplaneOverMemory(new MemoryOutbox(_time)), _sessions, _time);
        var running = Saving.Drainer(Room, outbox, saver, Saving.Places(4, _time), _time).RunAsync(_stopping.Token);

        await AdvanceUntilAsync(TimeSpan.FromSeconds(1), () => running.IsCompleted);

        told.Should().Equal("id1", "id2");
        Quantum.Calls.Select(call => call.Identifier).Should().Equal(["id1", "id1", "id2"], "the same key tells Quantum that it has it");
    }

    [Fact(Timeout = Limit)]
    public async Task Run_InBulk_LetsMessagesComeTogetherUnlessThereAreManyAlready()
    {
        var bulk = _parts!.Options with { SaveBatch = 3, ServiceToken = "service" };
        var saver = Saving.Saver(_parts, new BackplaneOverMemory(new MemoryOutbox(_time)), _sessions, _time, bulk);
        var drainer = Saving.Drainer(Room, _outbox, saver, Saving.Places(4, _time, bulk), _time);
        Post("rest", messages: 7);
        await drainer.RunAsync(_stopping.Token).WaitAsync(Patience);
        Quantum.Calls.Should().HaveCount(7, "what is there already waits for nothing");

        Post("rest", messages: 1, from: 8);
        await drainer.RunAsync(_stopping.Token).WaitAsync(Patience);
        Post("rest", messages: 1, from: 9);
        var running = drainer.RunAsync(_stopping.Token);
        await Task.Delay(100);
        Quantum.Calls.Should().HaveCount(8);
        Post("rest", messages: 1, from: 10);
        await AdvanceUntilAsync(OutboxOptions.GatherFor, () => running.IsCompleted);

        Quantum.Batches[^1].Select(call => call.Identifier).Should().Equal("id9", "id10");
    }

    private void KnowsOnly(string token) =>
        Quantum.Instead = (call, context) =>
        {
            var isKnown = call.Authorization == $"Token {token}";
            context.Response.StatusCode = isKnown ? StatusCodes.Status200OK : StatusCodes.Status401Unauthorized;
            return Task.FromResult(!isKnown);
        };

    private void Post(string token, int messages = 1, int from = 1)
    {
        _ = _sessions.KeepTokenAsync(7, Encoding.ASCII.GetBytes(token), TimeSpan.FromDays(7)).AsTask();
        for (var seq = from; seq < from + messages; seq++)
        {
            _outbox.Add(Room, seq, Drafts.Of(Room, 7, $"id{seq}").Json.Number(seq).ToArray());
        }
    }

    private RoomDrainer Drainer(string? serviceToken)
    {
        var saver = Saving.Saver(
            _parts!, new BackplaneOverMemory(_outbox), _sessions, _time, _parts!.Options with { ServiceToken = serviceToken });
        return Saving.Drainer(Room, _outbox, saver, Saving.Places(4, _time), _time);
    }

    private Task Drain(string? serviceToken = null) => Task.Run(() => Drainer(serviceToken).RunAsync(_stopping.Token));

    private async Task AdvanceUntilAsync(TimeSpan step, Func<bool> isDone)
    {
        for (var steps = 0; !isDone() && steps < 500; steps++)
        {
            _time.Advance(step);
            await Task.Delay(10);
        }

        isDone().Should().BeTrue();
    }

    /// <summary>Redis is out of reach at the first settling.</summary>
    private sealed class AwayOnce(MemoryOutbox outbox) : OutboxWrapper(outbox)
    {
        private bool _wasAway;

        public override ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn) =>
            !done.IsEmpty && !_wasAway && (_wasAway = true)
                ? throw new RedisUnavailableException("away")
                : base.SettleAsync(room, done, readOn);
    }
}
