using ChatServer.Outbox;

namespace ChatServer.Tests.Outbox;

public sealed class SaveConcurrencyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Release_AllWentWell_TwiceAsManyUpToTheMost()
    {
        var slots = new SaveConcurrency(10);
        slots.Allowed.Should().Be(4);

        await SaveAsync(slots, times: 4, wentWell: true);
        slots.Allowed.Should().Be(8);
        await SaveAsync(slots, times: 8, wentWell: true);

        slots.Allowed.Should().Be(10);
        slots.Saved.Should().Be(12);
    }

    [Fact]
    public async Task Release_FailuresAlone_OneAtATimeAndSlowlyBack()
    {
        var slots = new SaveConcurrency(32);
        await SaveAsync(slots, times: 28, wentWell: true);
        slots.Allowed.Should().Be(32);

        await SaveAsync(slots, times: 2, wentWell: false);

        slots.Allowed.Should().Be(1);
        await SaveAsync(slots, times: 1, wentWell: true);
        slots.Allowed.Should().Be(2);
    }

    [Fact]
    public async Task Release_OneFailsWhileOthersAreSaved_IsNoOutage()
    {
        var slots = new SaveConcurrency(32);
        await SaveAsync(slots, times: 28, wentWell: true);

        await SaveAsync(slots, times: 1, wentWell: false);

        slots.Allowed.Should().Be(16);
    }

    [Fact]
    public async Task Take_NoneFree_WaitsForARelease_AndACancelledOneTakesNone()
    {
        var slots = new SaveConcurrency(1);
        await slots.TakeAsync(CancellationToken.None);
        using var cancelled = new CancellationTokenSource();
        var givesUp = slots.TakeAsync(cancelled.Token).AsTask();
        var waits = slots.TakeAsync(CancellationToken.None).AsTask();
        waits.IsCompleted.Should().BeFalse();

        await cancelled.CancelAsync();
        slots.Release(wentWell: null);

        await waits.WaitAsync(Limit);
        await FluentActions.Awaiting(() => givesUp).Should().ThrowAsync<OperationCanceledException>();
    }

    private static async Task SaveAsync(SaveConcurrency slots, int times, bool wentWell)
    {
        for (var time = 0; time < times; time++)
        {
            await slots.TakeAsync(CancellationToken.None).AsTask().WaitAsync(Limit);
            slots.Release(wentWell);
        }
    }
}
