using ChatServer.Outbox;
using ChatServer.Protocol;
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
