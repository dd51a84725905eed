using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Redis;

public sealed class RedisRetryTests
{
    private const int Limit = 20_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(3);

    private readonly FakeTimeProvider _time = new();
    private readonly List<RedisUnavailableException> _failures = [];
    private int _tries;

    [Fact(Timeout = Limit)]
    public async Task UntilDone_GoesWell_RunsOnce()
    {
        await RunAsync(() => Task.CompletedTask).WaitAsync(Patience);

        _tries.Should().Be(1);
        _failures.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_RedisIsAwayAtFirst_TriesAgainAfterEachPause()
    {
        var away = new RedisUnavailableException("away");
        var running = RunAsync(() => _tries < 3 ? Task.FromException(away) : Task.CompletedTask);
        for (var done = 1; done < 3; done++)
        {
            _tries.Should().Be(done);
            _time.Advance(Pause - TimeSpan.FromMilliseconds(1));
            _tries.Should().Be(done, "the pause is not over");
            _time.Advance(TimeSpan.FromMilliseconds(1));
            await Eventually.TrueAsync(() => _tries == done + 1, Patience, () => "it was not tried again");
        }

        await running.WaitAsync(Patience);

        _failures.Should().Equal(away, away);
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_AnotherException_EndsIt()
    {
        var running = RunAsync(() => throw new InvalidOperationException("a defect"));

        await FluentActions.Awaiting(() => running.WaitAsync(Patience)).Should().ThrowAsync<InvalidOperationException>();
        _tries.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_CancelledInThePause_ReturnsAndTriesNoMore()
    {
        using var cancellation = new CancellationTokenSource();
        var running = RunAsync(() => throw new RedisUnavailableException("away"), cancellation.Token);
        running.IsCompleted.Should().BeFalse();

        await cancellation.CancelAsync();

        await running.WaitAsync(Patience);
        _tries.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_CancelledInTheStep_Returns()
    {
        using var cancellation = new CancellationTokenSource();
        var running = RunAsync(() => Task.Delay(Timeout.Infinite, cancellation.Token), cancellation.Token);

        await cancellation.CancelAsync();

        await running.WaitAsync(Patience);
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_CancelledBefore_DoesNothing()
    {
        await RunAsync(() => Task.CompletedTask, new CancellationToken(canceled: true)).WaitAsync(Patience);

        _tries.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task UntilDone_TheStepGivesUpByItself_IsNoCancellation()
    {
        var running = RunAsync(() => throw new OperationCanceledException("its own time limit"));

        await FluentActions.Awaiting(() => running.WaitAsync(Patience)).Should().ThrowAsync<OperationCanceledException>();
    }

    private Task RunAsync(Func<Task> step, CancellationToken cancellation = default) => RedisRetry.UntilDoneAsync(
        () =>
        {
            _tries++;
            return step();
        },
        () => Pause, _time, _failures.Add, cancellation);
}
