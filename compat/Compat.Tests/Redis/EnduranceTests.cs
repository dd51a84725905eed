using System.Diagnostics;
using Compat.Tests.Support;
using StackExchange.Redis;

namespace Compat.Tests.Redis;

/// <summary>What a long life costs.</summary>
public sealed class EnduranceTests(RedisServer server) : IClassFixture<RedisServer>
{
    private const int Batch = 10_000;

    [Fact]
    public async Task MillionCommands_Memory_StaysFlat()
    {
        await using var redis = await server.ConnectAsync();
        var db = redis.GetDatabase();
        await db.StringSetAsync("flat", Pattern.Bytes(100));
        await RunAsync(db, batches: 15);
        var (managed, resident) = Memory();
        await RunAsync(db, batches: 100);
        var (managedAfter, residentAfter) = Memory();
        (managedAfter - managed).Should().BeLessThan(2 * 1024 * 1024);
        (residentAfter - resident).Should().BeLessThan(64 * 1024 * 1024);
        redis.GetCounters().TotalOutstanding.Should().Be(0);
    }

    [Fact]
    public async Task GiantReplies_Memory_IsGivenUpAfterwards()
    {
        await using var redis = await server.ConnectAsync();
        var db = redis.GetDatabase();
        await db.PingAsync();
        var before = Memory().Managed;
        for (var i = 0; i < 3; i++)
        {
            await db.ScriptEvaluateAsync("local r = {} for i = 1, 300000 do r[i] = i end return #r", flags: CommandFlags.None);
            await db.ScriptEvaluateAsync("local r = {} for i = 1, 300000 do r[i] = i end return r").WaitAsync(Limits.Long);
        }

        await db.PingAsync();
        (Memory().Managed - before).Should().BeLessThan(4 * 1024 * 1024, "the reply's elements alone took 15 MB");
    }

    [Fact]
    public async Task ConnectAndDispose_ManyTimes_LeavesNothingBehind()
    {
        await ConnectManyAsync(5);
        var before = Memory().Managed;
        await ConnectManyAsync(40);
        (Memory().Managed - before).Should().BeLessThan(2 * 1024 * 1024);
    }

    private static async Task RunAsync(IDatabase db, int batches)
    {
        var commands = new Task<RedisValue>[Batch];
        for (var batch = 0; batch < batches; batch++)
        {
            for (var i = 0; i < Batch; i++)
            {
                commands[i] = db.StringGetAsync("flat");
            }

            var replies = await Task.WhenAll(commands).WaitAsync(Limits.Long);
            replies.Should().HaveCount(Batch);
        }
    }

    private static (long Managed, long Resident) Memory()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        using var process = Process.GetCurrentProcess();
        return (GC.GetTotalMemory(forceFullCollection: true), process.WorkingSet64);
    }

    private async Task ConnectManyAsync(int times)
    {
        for (var i = 0; i < times; i++)
        {
            await using var redis = await server.ConnectAsync();
            await redis.GetDatabase().PingAsync();
        }
    }
}
