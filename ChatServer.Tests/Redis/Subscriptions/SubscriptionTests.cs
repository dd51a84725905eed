using ChatServer.Redis.Subscriptions;

namespace ChatServer.Tests.Redis.Subscriptions;

public sealed class SubscriptionTests
{
    [Fact]
    public async Task Dispose_ManyAtOnce_EndsItOnce()
    {
        var ends = 0;
        var subscription = new Subscription(() => Interlocked.Increment(ref ends));

        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(async () => await subscription.DisposeAsync())))
            .WaitAsync(TimeSpan.FromSeconds(10));

        ends.Should().Be(1);
    }

    [Fact]
    public async Task Dispose_TheEndTakesTime_IsWaitedFor()
    {
        var ended = new TaskCompletionSource();
        var subscription = new Subscription(() => new ValueTask(ended.Task));

        var disposing = subscription.DisposeAsync().AsTask();
        disposing.IsCompleted.Should().BeFalse();
        ended.SetResult();

        await disposing.WaitAsync(TimeSpan.FromSeconds(10));
    }

    [Fact]
    public async Task None_CanBeDisposedOfByEverybody()
    {
        await Subscription.None.DisposeAsync();
        await Subscription.None.DisposeAsync();
    }
}
