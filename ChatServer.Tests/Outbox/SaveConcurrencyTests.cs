using ChatServer.Outbox;

namespace ChatServer.Tests.Outbox;

public sealed class SaveConcurrencyTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task Release_AllWentWell_TwiceAsManyUpToTheMost()
    {
        var concurrency = new SaveConcurrency(10);
        concurrency.Allowed.Should().Be(4);

        await SaveAsync(concurrency, times: 4, wentWell: true);
        concurrency.Allowed.Should().Be(8);
        await SaveAsync(concurrency, times: 8, wentWell: true);

        concurrency.Allowed.Should().Be(10);
        concurrency.Saved.Should().Be(12);
    }

    [Fact]
    public async Task Release_FailuresAlone_OneAtATimeAndSlowlyBack()
    {
        var concurrency = new SaveConcurrency(32);
        await SaveAsync(concurrency, times: 28, wentWell: true);
        concurrency.Allowed.Should().Be(32);

        await SaveAsync(concurrency, times: 2, wentWell: false);

        concurrency.Allowed.Should().Be(1);
        await SaveAsync(concurrency, times: 1, wentWell: true);
        concurrency.Allowed.Should().Be(2);
    }

    [Fact]
    public async Task Release_OneFailsWhileOthersAreSaved_IsNoOutage()
    {
        var concurrency = new SaveConcurrency(32);
        await SaveAsync(concurrency, times: 28, wentWell: true);

        await SaveAsync(concurrency, times: 1, wentWell: false);

        concurrency.Allowed.Should().Be(16);
    }

    [Fact]
    public async Task Take_NoneFree_WaitsForARelease_AndACancelledOneTakesNone()
    {
        var concurrency = new SaveConcurrency(1);
        await concurrency.TakeAsync(CancellationToken.None);
        using var cancelled = new CancellationTokenSource();
        var givesUp = concurrency.TakeAsync(cancelled.Token).AsTask();
        var waits = concurrency.TakeAsync(CancellationToken.None).AsTask();
        waits.IsCompleted.Should().BeFalse();

        await cancelled.CancelAsync();
        concurrency.Release(wentWell: null);

        await waits.WaitAsync(Limit);
        await FluentActions.Awaiting(() => givesUp).Should().ThrowAsync<OperationCanceledException>();
    }

    private static async Task SaveAsync(SaveConcurrency concurrency, int times, bool wentWell)
    {
        for (var time = 0; time < times; time++)
        {
            await concurrency.TakeAsync(CancellationToken.None).AsTask().WaitAsync(Limit);
            concurrency.Release(wentWell);
        }
    }
}
