using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Quantum.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;

namespace ChatServer.Tests.Outbox;

public sealed class LaneLeasesTests : IAsyncLifetime
{
    private const int Limit = 30_000;
    private const int Parallel = 4;

    private readonly MemoryOutbox _outbox = new(TimeProvider.System);
    private readonly BackplaneOverMemory _backplane;
    private readonly MemorySessionStore _sessions = new(TimeProvider.System);
    private QuantumServer? _quantum;
    private QuantumParts? _parts;
    private LaneLeases? _worker;

    public LaneLeasesTests() => _backplane = new(_outbox);

    private QuantumServer Quantum => _quantum!;

    public async ValueTask InitializeAsync()
    {
        _quantum = await QuantumServer.StartAsync();
        _parts = new QuantumParts(_quantum.Url, TimeSpan.FromSeconds(5), TimeProvider.System);
        await _sessions.KeepTokenAsync(7, "rest"u8.ToArray(), TimeSpan.FromDays(1));
        _worker = NewWorker();
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _worker!.Dispose();
        await _parts!.DisposeAsync();
        await _quantum!.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_TheNodeDoesNotListenYet_NothingIsSaved()
    {
        await PostAsync(Drafts.NewRoom(), "a1");
        await _worker!.StartAsync(CancellationToken.None);
        await Task.Delay(300);
        Quantum.Calls.Should().BeEmpty("a node that can't listen ends, and must not have taken a share of the work");

        await _worker.StartedAsync(CancellationToken.None);

        await Quantum.WaitForSavedAsync(1).WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_SeveralRooms_SavesEachOnceInSeqOrderSideBySide()
    {
        var (now, most) = (0, 0);
        var inRoom = new ConcurrentDictionary<long, int>();
        Quantum.Instead = async (call, _) =>
        {
            inRoom.AddOrUpdate(call.Room, 1, (_, count) => count + 1).Should().Be(1, "a room's messages are saved one after the other");
            var here = Interlocked.Increment(ref now);
            most = Math.Max(most, here);
            await Task.Delay(5);
            Interlocked.Decrement(ref now);
            inRoom.AddOrUpdate(call.Room, 0, (_, count) => count - 1);
            return false;
        };
        var rooms = Enumerable.Range(0, 8).Select(_ => Drafts.NewRoom()).ToList();
        for (var number = 1; number <= 20; number++)
        {
            foreach (var room in rooms)
            {
                await PostAsync(room, $"m{number}");
            }
        }

        await StartAsync();
        var saved = await Quantum.WaitForSavedAsync(160);

        foreach (var room in rooms)
        {
            saved.Where(call => call.Room == room.RoomId).Select(call => call.Identifier).Should()
                .Equal(Enumerable.Range(1, 20).Select(number => $"m{number}"));
        }

        Quantum.Calls.Should().HaveCount(160);
        most.Should().BeInRange(2, Parallel);
        await EmptyAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_NewMessages_AreSavedWithoutDelay()
    {
        await StartAsync();
        var room = Drafts.NewRoom();
        var started = TimeProvider.System.GetTimestamp();
        for (var number = 1; number <= 10; number++)
        {
            await PostAsync(room, $"m{number}");
            await Task.Delay(20);
        }

        await Quantum.WaitForSavedAsync(10);

        TimeProvider.System.GetElapsedTime(started).Should()
            .BeLessThan(TimeSpan.FromSeconds(1.9), "nothing waits for the next look around");
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_MessagesThatComeWhileOneIsSaved_FollowAtOnce()
    {
        await StartAsync();
        var (room, other) = (Drafts.NewRoom(), Drafts.NewRoom());
        var held = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        Quantum.Instead = async (_, _) =>
        {
            await held.Task;
            return false;
        };
        await PostAsync(room, "m1");
        await Eventually.TrueAsync(() => Quantum.Calls.Count == 1, TimeSpan.FromSeconds(5), () => "the first was not begun");

        // The outbox is not empty, so nobody is told of these; the drainer has gone to sleep.
        await Task.Delay(300);
        await PostAsync(room, "m2");
        await PostAsync(other, "m3");
        var started = TimeProvider.System.GetTimestamp();
        held.SetResult();

        await Quantum.WaitForSavedAsync(3);
        TimeProvider.System.GetElapsedTime(started).Should().BeLessThan(TimeSpan.FromSeconds(1));
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_ABacklogLargerThanAHandful_IsDrainedOnceEach()
    {
        for (var number = 1; number <= 3000; number++)
        {
            await PostAsync(new RoomKey(3, 1 + (number % 50)), $"m{number}");
        }

        await StartAsync();
        await Quantum.WaitForSavedAsync(3000, TimeSpan.FromSeconds(25));

        await EmptyAsync();
        Quantum.Calls.Should().HaveCount(3000);
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_OneRoomFails_TheOthersGoOnAndNothingIsRemovedBeforeItIsSaved()
    {
        var (bad, good) = (Drafts.NewRoom(), Drafts.NewRoom());
        var heal = false;
        Quantum.Instead = (call, context) =>
        {
            var fails = call.Room == bad.RoomId && !Volatile.Read(ref heal);
            context.Response.StatusCode = fails ? 503 : 200;
            return Task.FromResult(fails);
        };
        for (var number = 1; number <= 5; number++)
        {
            await PostAsync(bad, $"m{number}");
            await PostAsync(good, $"m{number}");
        }

        await StartAsync();
        (await Quantum.WaitForSavedAsync(5)).Should().OnlyContain(call => call.Room == good.RoomId);
        await Eventually.TrueAsync(() => Left().Count == 5, TimeSpan.FromSeconds(5), () => $"{Left().Count} are left");
        Left().Should().Equal("m1", "m2", "m3", "m4", "m5");
        Quantum.Calls.Where(call => call.Room == bad.RoomId).Should().OnlyContain(call => call.Identifier == "m1", "a room's order holds");
        Volatile.Write(ref heal, true);

        (await Quantum.WaitForSavedAsync(10)).Where(call => call.Room == bad.RoomId).Select(call => call.Identifier).Should()
            .Equal("m1", "m2", "m3", "m4", "m5");
        await EmptyAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_Stops_LeavesTheRestAndTheNextOneFinishes()
    {
        Quantum.Instead = async (call, context) =>
        {
            if (call.Identifier != "m1")
            {
                await Task.Delay(TimeSpan.FromSeconds(20), context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                return true;
            }

            return false;
        };
        var room = Drafts.NewRoom();
        for (var number = 1; number <= 3; number++)
        {
            await PostAsync(room, $"m{number}");
        }

        await StartAsync();
        await Eventually.TrueAsync(() => Quantum.Calls.Count == 2, TimeSpan.FromSeconds(5), () => "the second was not begun");
        await StopAsync();

        Left().Should().Equal("m2", "m3");
        Quantum.Instead = (_, _) => Task.FromResult(false);
        await StartAnotherAsync();
        (await Quantum.WaitForSavedAsync(3)).Select(call => call.Identifier).Should().Equal("m1", "m2", "m3");
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_AnnouncementsWereLostInAnInterruption_LooksWhenItIsOver()
    {
        var deaf = new DeafOutbox(_outbox);
        _worker!.Dispose();
        _worker = NewWorker(deaf);
        await StartAsync();
        await Eventually.TrueAsync(() => deaf.Restored is not null, TimeSpan.FromSeconds(5), () => "it does not listen");
        await Task.Delay(300);
        var started = TimeProvider.System.GetTimestamp();
        await PostAsync(Drafts.NewRoom(), "m1");

        deaf.Restored!();

        await Quantum.WaitForSavedAsync(1);
        TimeProvider.System.GetElapsedTime(started).Should().BeLessThan(OutboxOptions.LookAgain / 2);
    }

    /// <summary>Nothing shows that an announcement was lost.</summary>
    [Fact(Timeout = Limit)]
    public async Task Leases_AnAnnouncementWasLost_IsSavedAtTheNextLook()
    {
        _worker!.Dispose();
        _worker = NewWorker(new DeafOutbox(_outbox));
        await StartAsync();
        await Task.Delay(300);

        await PostAsync(Drafts.NewRoom(), "m1");

        await Quantum.WaitForSavedAsync(1, OutboxOptions.LookAgain + TimeSpan.FromSeconds(3));
    }

    [Fact(Timeout = Limit)]
    public async Task Leases_SavedOrRefused_TellsThoseConcerned()
    {
        var room = Drafts.NewRoom();
        var (heard, told) = (new Heard(), new ConcurrentQueue<string>());
        await using var subscription = await _backplane.SubscribeAsync(room, heard);
        await using var user = await _backplane.SubscribeToUserAsync(7, json => told.Enqueue(Encoding.UTF8.GetString(json.Span)));
        Quantum.Instead = async (call, context) =>
        {
            if (call.Identifier == "good")
            {
                return false;
            }

            context.Response.StatusCode = 400;
            await context.Response.WriteAsJsonAsync(new { success = false, message = "too rude" });
            return true;
        };
        await StartAsync();
        await PostAsync(room, "good");
        await PostAsync(room, "bad");

        await Eventually.TrueAsync(() => told.Count == 2, TimeSpan.FromSeconds(10), () => $"{told.Count} came");

        var notice = (await heard.NoticesAsync(1)).Should().ContainSingle().Subject;
        notice.ExceptUserId.Should().Be(7, "the sender has its own frame");
        Heard.Text(notice.Json).Should()
            .Be($"{{\"type\":\"saved\",\"room_id\":{room.RoomId},\"saved\":[{{\"seq\":1,\"identifier\":\"good\",\"id\":9001}}]}}");
        JsonSerializer.Deserialize<JsonElement>(told.ElementAt(0)).GetProperty("message").GetString().Should()
            .Be("Message sent out successfully");
        told.ElementAt(1).Should().Be(
            $"{{\"type\":\"info\",\"success\":false,\"code\":\"not_saved\",\"message\":\"too rude\",\"room_id\":{room.RoomId},\"identifier\":\"bad\",\"seq\":2}}");
        await EmptyAsync();
    }

    private async Task StartAsync()
    {
        await _worker!.StartAsync(CancellationToken.None);
        await _worker.StartedAsync(CancellationToken.None);
    }

    private async Task StopAsync() => await _worker!.StopAsync(CancellationToken.None).WaitAsync(TimeSpan.FromSeconds(10));

    /// <summary>Another node over the same outbox, after this one has stopped.</summary>
    private async Task StartAnotherAsync()
    {
        _worker!.Dispose();
        _worker = NewWorker();
        await StartAsync();
    }

    private LaneLeases NewWorker(IOutbox? outbox = null)
    {
        var saver = Saving.Saver(_parts!, _backplane, _sessions, TimeProvider.System);
        return new(
            outbox ?? _outbox, saver, new SavedNotices(_backplane, TimeProvider.System), Saving.Places(Parallel, TimeProvider.System),
            new ReadAhead(), new OutboxOptions(20, Parallel), TimeProvider.System, NullLoggerFactory.Instance);
    }

    private async Task PostAsync(RoomKey room, string identifier) => await _backplane.AcceptAsync(Drafts.Of(room, 7, identifier));

    private List<string> Left() =>
        [.. _outbox.UnsavedAsync(0).AsTask().GetAwaiter().GetResult()
            .SelectMany(unsaved => _outbox.UnsavedOfAsync(unsaved.Room).GetAwaiter().GetResult())
            .Select(pending => pending.Message!.Identifier)];

    /// <summary>Announcements do not come.</summary>
    private sealed class DeafOutbox(IOutbox outbox) : OutboxWrapper(outbox)
    {
        public Action? Restored { get; private set; }

        public override ValueTask<IAsyncDisposable> ListenAsync(Action<int, RoomKey> filled, Action restored)
        {
            Restored = restored;
            return base.ListenAsync((_, _) => { }, () => { });
        }
    }

    private Task EmptyAsync() => Eventually.TrueAsync(() => Left().Count == 0, TimeSpan.FromSeconds(5), () => $"{Left().Count} are left");
}
