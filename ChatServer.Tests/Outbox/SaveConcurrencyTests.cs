using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Tests.Outbox.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Outbox;

public sealed class SaveConcurrencyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly FakeTimeProvider _time = new();

    [Fact]
    public async Task End_AllWentWell_TwiceAsManyUpToTheMost()
    {
        var places = Saving.Places(10, _time);
        places.Allowed.Should().Be(4);

        await SaveAsync(places, times: 4, SaveEnd.Saved);
        places.Allowed.Should().Be(8);
        await SaveAsync(places, times: 8, SaveEnd.Saved);

        places.Allowed.Should().Be(10);
        places.Saved.Should().Be(12);
    }

    [Fact]
    public async Task End_FailuresAlone_OneAtATimeAndSlowlyBack()
    {
        var places = Saving.Places(32, _time);
        await SaveAsync(places, times: 28, SaveEnd.Saved);
        places.Allowed.Should().Be(32);

        await SaveAsync(places, times: 2, SaveEnd.Failed);

        places.Allowed.Should().Be(1);
        await SaveAsync(places, times: 1, SaveEnd.Saved);
        places.Allowed.Should().Be(2);
    }

    [Fact]
    public async Task End_OneFailsWhileOthersAreSaved_IsNoOutage()
    {
        var places = Saving.Places(32, _time);
        await SaveAsync(places, times: 28, SaveEnd.Saved);

        await SaveAsync(places, times: 1, SaveEnd.Failed);

        places.Allowed.Should().Be(16);
    }

    [Fact]
    public async Task End_OneCompanyFailsWhileAnotherIsSaved_TakesNoPlacesFromTheOther()
    {
        var places = Saving.Places(32, _time);
        await SaveAsync(places, times: 28, SaveEnd.Saved);
        for (var round = 1; round <= 10; round++)
        {
            using var failing = await TakeAsync(places, new(5, 1));
            await SaveAsync(places, times: 1, SaveEnd.Saved);
            failing.End(SaveEnd.Failed);
        }

        places.Allowed.Should().Be(32);
    }

    [Fact]
    public async Task End_NothingIsSaved_IsNotCountedAsSaved()
    {
        var places = Saving.Places(8, _time);

        foreach (var end in new[] { SaveEnd.Answered, SaveEnd.Throttled, SaveEnd.NotAsked })
        {
            await SaveAsync(places, times: 1, end);
        }

        places.Saved.Should().Be(0);
        places.Allowed.Should().Be(4, "it is no outage either");
    }

    [Fact]
    public async Task Take_NoneFree_WaitsForOne_AndACancelledOneTakesNone()
    {
        var places = Saving.Places(1, _time);
        var held = await TakeAsync(places, new(1, 1));
        using var cancelled = new CancellationTokenSource();
        var givesUp = places.TakeAsync(new(1, 2), 7, 1, false, cancelled.Token);
        var waits = TakeAsync(places, new(1, 3));
        waits.IsCompleted.Should().BeFalse();

        await cancelled.CancelAsync();
        held.End(SaveEnd.NotAsked);

        await waits;
        await FluentActions.Awaiting(() => givesUp).Should().ThrowAsync<OperationCanceledException>();
    }

    [Fact]
    public async Task Take_ManyWait_CompaniesTakeTurnsAndWithinOneItsSendersAndTheirRooms()
    {
        var places = Saving.Places(1, _time);
        var held = await TakeAsync(places, new(9, 9));
        var order = new List<string>();
        var waiting = new (long Company, long Sender, long Room)[]
        {
            (1, 1, 1), (1, 1, 2), (1, 1, 3), (1, 2, 4), (2, 3, 5), (2, 3, 6), (3, 4, 7),
        };
        var ended = waiting.Select(async each =>
        {
            using var turn = await places.TakeAsync(new(each.Company, each.Room), each.Sender, 1, false, CancellationToken.None)
                .WaitAsync(Limit);
            lock (order)
            {
                order.Add($"{each.Company}/{each.Room}");
            }
        }).ToList();

        held.End(SaveEnd.Saved);
        await Task.WhenAll(ended).WaitAsync(Limit);

        order.Should().Equal("1/1", "2/5", "3/7", "1/4", "2/6", "1/2", "1/3");
    }

    [Fact]
    public async Task Take_CallsTakeLong_GiveTheirPlacesToOtherCompaniesButNotToTheirOwn()
    {
        var places = Saving.Places(2, _time);
        var hanging = new[] { await TakeAsync(places, new(1, 1)), await TakeAsync(places, new(1, 2)) };
        var own = TakeAsync(places, new(1, 3));
        var other = TakeAsync(places, new(2, 1));
        other.IsCompleted.Should().BeFalse();

        _time.Advance(OutboxOptions.SlowAfter);

        (await other).End(SaveEnd.Saved);
        own.IsCompleted.Should().BeFalse("a company has its own limit");
        hanging[0].End(SaveEnd.Failed);
        hanging[1].End(SaveEnd.Failed);
        await own;
    }

    [Fact]
    public async Task Take_AllCallsTakeLong_AreNeverMoreThanAFewTimesTheMost()
    {
        var places = Saving.Places(2, _time);
        var taken = Enumerable.Range(1, 20).Select(company => TakeAsync(places, new(company, 1))).ToList();

        for (var second = 0; second < 20; second++)
        {
            _time.Advance(OutboxOptions.SlowAfter);
            await Task.Delay(5);
        }

        taken.Count(each => each.IsCompleted).Should().Be(2 * OutboxOptions.SlowFactor);
    }

    [Fact]
    public async Task End_SeveralRoomsOfACompanyFail_ItsCallsRestAndOthersGoOn()
    {
        var places = Saving.Places(8, _time);
        await FailAsync(places, OutboxOptions.FailedRoomsUntilRest);

        var rests = TakeAsync(places, new(1, 100));
        (await TakeAsync(places, new(2, 1))).End(SaveEnd.Saved);
        rests.IsCompleted.Should().BeFalse();

        _time.Advance(OutboxOptions.FirstRest * 1.5);
        (await rests).End(SaveEnd.Failed);
        var restsLonger = TakeAsync(places, new(1, 101));
        _time.Advance(OutboxOptions.FirstRest * 0.9);
        restsLonger.IsCompleted.Should().BeFalse("the rest doubles");
        _time.Advance(OutboxOptions.FirstRest * 2.1);
        (await restsLonger).End(SaveEnd.Saved);
        await TakeAsync(places, new(1, 102));
    }

    [Fact]
    public async Task End_OneRoomFailsAgainAndAgain_ItsCompanyDoesNotRest()
    {
        var places = Saving.Places(8, _time);
        for (var time = 0; time < 20; time++)
        {
            (await TakeAsync(places, new(1, 1))).End(SaveEnd.Failed);
        }

        await TakeAsync(places, new(1, 2));
    }

    [Fact]
    public async Task Companies_InGoodStandingOrLongIdle_AreForgotten()
    {
        var places = Saving.Places(8, _time);
        await SaveAsync(places, times: 100, SaveEnd.Saved);
        places.Companies.Should().Be(0);

        for (var company = 1; company <= OutboxOptions.SweepCompaniesAt + 1; company++)
        {
            (await TakeAsync(places, new(company, 1))).End(SaveEnd.Failed);
        }

        places.Companies.Should().Be(1);
    }

    [Fact]
    public async Task Take_InBulk_RoomsOfACompanyShareACallEachItsShareAndWhatOthersLeave()
    {
        var places = Saving.Places(1, _time, Bulk(10));
        var held = await TakeAsync(places, new(9, 9));
        var crowded = places.TakeAsync(new(1, 1), 7, ready: 500, isAlone: false, CancellationToken.None);
        var next = places.TakeAsync(new(1, 2), 8, ready: 500, isAlone: false, CancellationToken.None);
        var foreign = places.TakeAsync(new(2, 3), 7, ready: 1, isAlone: false, CancellationToken.None);
        held.End(SaveEnd.Saved);

        using var first = await crowded.WaitAsync(Limit);
        (first.Capacity, first.IsShared).Should().Be((10, false), "it fills a call by itself");
        next.IsCompleted.Should().BeFalse();
        first.End(SaveEnd.Saved);
        using var other = await foreign.WaitAsync(Limit);
        (other.Capacity, other.IsShared).Should().Be((1, false), "companies share no call");
        var few = new[] { 3, 4, 5 }.Select(room =>
            places.TakeAsync(new(1, room), room, ready: room, isAlone: false, CancellationToken.None)).ToList();
        other.End(SaveEnd.Saved);

        (await next.WaitAsync(Limit)).End(SaveEnd.Saved);
        var turns = await Task.WhenAll(few).WaitAsync(Limit);
        turns.Select(turn => turn.Capacity).Should().Equal(3, 4, 3);
        turns.Should().OnlyContain(turn => turn.IsShared);
    }

    [Fact]
    public async Task Take_InBulkAndAlone_SharesNoCall()
    {
        var places = Saving.Places(1, _time, Bulk(10));
        var held = await TakeAsync(places, new(9, 9));
        var waiting = new[] { false, false, true, false, false }.Select((isAlone, index) =>
            places.TakeAsync(new(1, index), index, ready: 1, isAlone, CancellationToken.None)).ToList();
        held.End(SaveEnd.Saved);

        var shared = await Task.WhenAll(waiting.Take(2)).WaitAsync(Limit);
        waiting[2].IsCompleted.Should().BeFalse();
        var both = shared.Select(turn => SaveAsync(turn, SaveEnd.Saved)).ToList();
        await Task.WhenAll(both).WaitAsync(Limit);
        var alone = await waiting[2].WaitAsync(Limit);
        alone.IsShared.Should().BeFalse();
        waiting[3].IsCompleted.Should().BeFalse();
        alone.End(SaveEnd.Failed);
        (await Task.WhenAll(waiting.Skip(3)).WaitAsync(Limit)).Should().OnlyContain(turn => turn.IsShared);
    }

    [Fact]
    public async Task Save_InBulk_IsOneCallForAllAndEachHearsOfItsOwn()
    {
        var places = Saving.Places(1, _time, Bulk(10));
        var turns = await TakeSharedAsync(places, 4);
        var calls = new List<int>();
        SaveMessages save = (messages, _) =>
        {
            calls.Add(messages.Count);
            return Task.FromResult<IReadOnlyList<SaveResult>>(
                [.. messages.Select(pending => (SaveResult)new SaveOutcome.Refused($"{pending.Message!.Room.RoomId}/{pending.Seq}"))]);
        };

        var saving = turns.Take(3).Select((turn, index) => turn.SaveAsync(
            [Saving.Pending(new(1, index + 1), 1), Saving.Pending(new(1, index + 1), 2)], save, CancellationToken.None)).ToList();
        calls.Should().BeEmpty("one of them may still bring something");
        turns[3].Dispose();
        var results = await Task.WhenAll(saving).WaitAsync(Limit);

        calls.Should().Equal(6);
        results.Select(own => string.Join(' ', own.Select(result => ((SaveOutcome.Refused)result.Outcome!).Why))).Should()
            .Equal("1/1 1/2", "2/1 2/2", "3/1 3/2");
        places.Saved.Should().Be(0);
        (await TakeAsync(places, new(1, 9))).Dispose();
    }

    [Fact]
    public async Task Save_InBulkAndOneIsCancelled_TheOthersAreSavedAllTheSame()
    {
        var places = Saving.Places(1, _time, Bulk(10));
        var turns = await TakeSharedAsync(places, 3);
        using var cancelled = new CancellationTokenSource();
        var answer = new TaskCompletionSource();
        SaveMessages save = async (messages, cancellation) =>
        {
            await answer.Task.WaitAsync(cancellation);
            return [.. messages.Select(_ => (SaveResult)new SaveOutcome.Saved(null, null, null, null, null))];
        };
        var others = turns.Skip(1).Select(turn => turn.SaveAsync([Saving.Pending(new(1, 1), 1)], save, CancellationToken.None)).ToList();
        var givesUp = turns[0].SaveAsync([Saving.Pending(new(1, 2), 1)], save, cancelled.Token);

        await cancelled.CancelAsync();
        await FluentActions.Awaiting(() => givesUp).Should().ThrowAsync<OperationCanceledException>();
        answer.SetResult();

        (await Task.WhenAll(others).WaitAsync(Limit)).Should().OnlyContain(own => own[0].Outcome is SaveOutcome.Saved);
        places.Saved.Should().Be(3);
    }

    private static QuantumOptions Bulk(int most) => Saving.Singly with { SaveBatch = most, ServiceToken = "service" };

    /// <summary>Rooms that share one call.</summary>
    private static async Task<IReadOnlyList<SaveTurn>> TakeSharedAsync(SaveConcurrency places, int rooms)
    {
        var held = await TakeAsync(places, new(9, 9));
        var turns = Enumerable.Range(1, rooms).Select(room =>
            places.TakeAsync(new(1, room), room, ready: 2, isAlone: false, CancellationToken.None)).ToList();
        held.End(SaveEnd.NotAsked);
        return await Task.WhenAll(turns).WaitAsync(Limit);
    }

    private static Task<IReadOnlyList<SaveResult>> SaveAsync(SaveTurn turn, SaveEnd end) =>
        turn.SaveAsync([Saving.Pending(new(1, 1), 1)], (messages, _) => Task.FromResult<IReadOnlyList<SaveResult>>(
            [.. messages.Select(_ => Saving.ResultOf(end))]), CancellationToken.None);

    private static Task<SaveTurn> TakeAsync(SaveConcurrency places, RoomKey room) =>
        places.TakeAsync(room, sender: 7, ready: 1, isAlone: false, CancellationToken.None).WaitAsync(Limit);

    private static async Task SaveAsync(SaveConcurrency places, int times, SaveEnd end)
    {
        for (var time = 0; time < times; time++)
        {
            (await TakeAsync(places, new(1, time))).End(end);
        }
    }

    private static async Task FailAsync(SaveConcurrency places, int rooms)
    {
        for (var room = 1; room <= rooms; room++)
        {
            (await TakeAsync(places, new(1, room))).End(SaveEnd.Failed);
        }
    }
}
