using ChatServer.Backplane;
using ChatServer.Redis;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Backplane;

public sealed class CountedSubscriptionsTests
{
    private const int Limit = 20_000;

    private readonly List<string> _events = [];
    private readonly Lock _gate = new();
    private readonly CountedSubscriptions<int, string> _subscriptions;
    private int _opens;
    private Func<Task> _opening = () => Task.CompletedTask;
    private Func<Task> _closing = () => Task.CompletedTask;

    public CountedSubscriptionsTests() => _subscriptions = new(key => $"{key}", OpenAsync);

    [Fact(Timeout = Limit)]
    public async Task Enter_ManyAtOnce_OpenOnceAndTheLastCloses()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _opening = () => gate.Task;
        var entering = Enumerable.Range(0, 50).Select(_ => Task.Run(() => _subscriptions.EnterAsync(1).AsTask())).ToList();
        await Task.Delay(20);
        entering.Should().OnlyContain(task => !task.IsCompleted, "who enters waits until the subscription is in force");
        gate.SetResult();

        (await Task.WhenAll(entering)).Should().AllBe("1");
        for (var count = 0; count < 49; count++)
        {
            _subscriptions.Exit(1);
        }

        Events().Should().Equal("open 1");
        _subscriptions.Exit(1);
        await UntilAsync("close 1");
        _subscriptions.Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_WhileTheOldOneCloses_WaitsForThat()
    {
        var closing = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _closing = () => closing.Task;
        await _subscriptions.EnterAsync(1);
        _subscriptions.Exit(1);

        var again = _subscriptions.EnterAsync(1).AsTask();
        await Task.Delay(20);
        Events().Should().Equal("open 1");
        _closing = () => Task.CompletedTask;
        closing.SetResult();
        await again;

        Events().Should().Equal("open 1", "close 1", "open 1");
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_OpeningFails_TellsAllWhoWaitAndIsNotKept()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _opening = () => gate.Task;
        var entering = Enumerable.Range(0, 10).Select(_ => _subscriptions.EnterAsync(1).AsTask()).ToList();
        gate.SetException(new RedisUnavailableException("away"));
        foreach (var one in entering)
        {
            await one.Invoking(task => task).Should().ThrowAsync<RedisUnavailableException>();
        }

        _subscriptions.Count.Should().Be(0);
        _opening = () => Task.CompletedTask;
        (await _subscriptions.EnterAsync(1)).Should().Be("1");
        _opens.Should().Be(2);
        Events().Should().Equal("open 1");
    }

    [Fact(Timeout = Limit)]
    public async Task EnterAndExit_ManyThreads_NeverHaveTwoOpenAndEndWithNone()
    {
        await Task.WhenAll(Enumerable.Range(0, 8).Select(seed => Task.Run(async () =>
        {
            var random = new Random(seed);
            for (var round = 0; round < 500; round++)
            {
                var key = random.Next(3);
                await _subscriptions.EnterAsync(key);
                await Task.Yield();
                _subscriptions.Exit(key);
            }
        })));

        await Eventually.TrueAsync(() => Events().Count % 2 == 0, TimeSpan.FromSeconds(5), () => "something stays open");
        foreach (var key in (string[])["0", "1", "2"])
        {
            Events().Where(happened => happened.EndsWith(key, StringComparison.Ordinal)).Chunk(2)
                .Should().AllSatisfy(pair => pair.Should().Equal($"open {key}", $"close {key}"));
        }

        _subscriptions.Count.Should().Be(0);
    }

    private async ValueTask<IAsyncDisposable> OpenAsync(string subject)
    {
        Interlocked.Increment(ref _opens);
        await _opening();
        await Task.Yield();
        Note($"open {subject}");
        return new Closing(this, subject);
    }

    private void Note(string happened)
    {
        lock (_gate)
        {
            _events.Add(happened);
        }
    }

    private List<string> Events()
    {
        lock (_gate)
        {
            return [.. _events];
        }
    }

    private Task UntilAsync(string happened) =>
        Eventually.TrueAsync(() => Events().Contains(happened), TimeSpan.FromSeconds(5), () => $"{happened} did not happen");

    private sealed class Closing(CountedSubscriptionsTests test, string subject) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            await test._closing();
            await Task.Yield();
            test.Note($"close {subject}");
        }
    }
}
