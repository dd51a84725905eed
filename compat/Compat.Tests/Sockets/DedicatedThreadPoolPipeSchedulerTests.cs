using Compat.Tests.Support;
using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

public sealed class DedicatedThreadPoolPipeSchedulerTests
{
    [Fact]
    public async Task Schedule_WorkersFree_RunsOnThreadsOfItsOwn()
    {
        using var scheduler = new DedicatedThreadPoolPipeScheduler("mine", workerCount: 2, priority: ThreadPriority.AboveNormal);
        var thread = await RunAsync(scheduler, () => Thread.CurrentThread);
        thread.Name.Should().StartWith("mine:");
        thread.IsThreadPoolThread.Should().BeFalse();
        thread.IsBackground.Should().BeTrue();
        thread.Priority.Should().Be(ThreadPriority.AboveNormal);
        await Limits.UntilAsync(() => scheduler is { TotalServicedByQueue: 1, AvailableCount: 2 }, "the action is counted");
        scheduler.TotalServicedByPool.Should().Be(0);
        scheduler.WorkerCount.Should().Be(2);
    }

    [Fact]
    public async Task Schedule_EveryWorkerBlocked_RunsOnTheThreadPool()
    {
        using var scheduler = new DedicatedThreadPoolPipeScheduler("mine", workerCount: 2);
        using var gate = new ManualResetEventSlim();
        scheduler.Schedule(_ => gate.Wait(Limits.Short), null);
        scheduler.Schedule(_ => gate.Wait(Limits.Short), null);
        await Limits.UntilAsync(() => scheduler.AvailableCount == 0, "both are at work");
        (await RunAsync(scheduler, () => Thread.CurrentThread.IsThreadPoolThread)).Should().BeTrue();
        gate.Set();
        await Limits.UntilAsync(() => scheduler is { TotalServicedByQueue: 2, TotalServicedByPool: 1 }, "all are counted");
        scheduler.AvailableCount.Should().Be(2);
    }

    [Fact]
    public async Task Schedule_FromManyThreads_RunsEachActionOnce()
    {
        const int Actions = 100_000;
        using var scheduler = new DedicatedThreadPoolPipeScheduler("mine", workerCount: 3);
        var ran = new int[Actions];
        await Task.WhenAll(Enumerable.Range(0, 4).Select(part => Task.Run(() =>
        {
            for (var i = part; i < Actions; i += 4)
            {
                scheduler.Schedule(state => Interlocked.Increment(ref ran[(int)state!]), i);
            }
        }))).WaitAsync(Limits.Long);
        await Limits.UntilAsync(
            () => scheduler.TotalServicedByQueue + scheduler.TotalServicedByPool == Actions, "all are counted");
        ran.Should().OnlyContain(times => times == 1);
    }

    [Fact]
    public async Task Dispose_ThreadsEnd_AndLaterActionsRunOnTheThreadPool()
    {
        var scheduler = new DedicatedThreadPoolPipeScheduler("mine", workerCount: 1);
        var thread = await RunAsync(scheduler, () => Thread.CurrentThread);
        scheduler.Dispose();
        await Limits.UntilAsync(() => !thread.IsAlive, "the thread ends");
        (await RunAsync(scheduler, () => Thread.CurrentThread.IsThreadPoolThread)).Should().BeTrue();
    }

    [Fact]
    public void Create_NoWorkers_Throws()
    {
        var create = () => new DedicatedThreadPoolPipeScheduler(workerCount: 0);
        create.Should().Throw<ArgumentOutOfRangeException>();
    }

    private static async Task<T> RunAsync<T>(DedicatedThreadPoolPipeScheduler scheduler, Func<T> function)
    {
        var result = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        scheduler.Schedule(_ => result.SetResult(function()), null);
        return await result.Task.WaitAsync(Limits.Short);
    }
}
