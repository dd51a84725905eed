using System.Text;
using Compat.Tests.Support;
using StackExchange.Redis;

namespace Compat.Tests.Redis;

/// <summary>Replies of every size and shape, as StackExchange.Redis parses them out of our pipes into our arena.</summary>
public sealed class ReplyTests(RedisServer server) : IClassFixture<RedisServer>
{
    // The parser recurses for each level, and so does Redis; both have their limits, far above what anybody sends.
    private const int Deep = 1000;

    [Fact]
    public async Task StringGet_50MegabyteReply_ArrivesWhole()
    {
        await using var redis = await server.ConnectAsync();
        var value = Pattern.Bytes(50 * 1024 * 1024);
        await redis.GetDatabase().StringSetAsync("large", value).WaitAsync(Limits.Long);
        var reply = (byte[]?)await redis.GetDatabase().StringGetAsync("large").WaitAsync(Limits.Long);
        reply.AsSpan().SequenceEqual(value).Should().BeTrue();
        redis.GetCounters().TotalOutstanding.Should().Be(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(4095)]
    [InlineData(4096)]
    [InlineData(8192)]
    [InlineData(65_536)]
    [InlineData(1_000_003)]
    public async Task StringGet_SizesAroundBuffers_ArriveWhole(int size)
    {
        await using var redis = await server.ConnectAsync();
        var value = Pattern.Bytes(size, seed: size);
        await redis.GetDatabase().StringSetAsync("sized", value).WaitAsync(Limits.Short);
        ((byte[]?)await redis.GetDatabase().StringGetAsync("sized").WaitAsync(Limits.Short)).Should().Equal(value);
    }

    [Fact]
    public async Task Eval_TenThousandNestedArrays_ArriveWhole()
    {
        await using var redis = await server.ConnectAsync();
        const string Script = "local r = {} for i = 1, 10000 do r[i] = {i, {'x' .. i, {}}} end return r";
        var reply = await EvaluateAsync(redis, Script);
        reply.Length.Should().Be(10_000);
        for (var i = 0; i < 10_000; i++)
        {
            var pair = (RedisResult[])reply[i]!;
            ((int)pair[0]).Should().Be(i + 1);
            var inner = (RedisResult[])pair[1]!;
            ((string?)inner[0]).Should().Be($"x{i + 1}");
            ((RedisResult[])inner[1]!).Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Eval_HugeArray_ArrivesWhole()
    {
        await using var redis = await server.ConnectAsync();
        var reply = await EvaluateAsync(redis, "local r = {} for i = 1, 500000 do r[i] = i end return r");
        reply.Length.Should().Be(500_000);
        reply.Select(item => (int)item).Should().Equal(Enumerable.Range(1, 500_000));
        (await redis.GetDatabase().PingAsync()).Should().BePositive();
    }

    [Fact]
    public async Task Eval_ArraysInArraysADeepWayDown_ArriveWhole()
    {
        await using var redis = await server.ConnectAsync();
        var reply = await redis.GetDatabase().ScriptEvaluateAsync($"local r = 7 for i = 1, {Deep} do r = {{r}} end return r");
        Depth(reply).Should().Be((Deep, 7));
    }

    [Fact]
    public async Task Execute_DeepReplyOfAMadeUpServer_ArrivesWhole()
    {
        var text = new StringBuilder();
        for (var i = 0; i < Deep; i++)
        {
            text.Append("*2\r\n$1\r\nx\r\n");
        }

        await using var fake = new FakeRedis($"{text}:7\r\n");
        await using var redis = await server.ConnectAsync(fake.EndPoint);
        var reply = await redis.GetDatabase().ExecuteAsync("GET", "made-up").WaitAsync(Limits.Long);
        Depth(reply).Should().Be((Deep, 7));
    }

    [Fact]
    public async Task StreamRange_EntriesWithFields_ArriveWhole()
    {
        await using var redis = await server.ConnectAsync();
        var db = redis.GetDatabase();
        await Task.WhenAll(Enumerable.Range(0, 3000).Select(i => db.StreamAddAsync("stream", [new("k", i), new("v", $"x{i}")])))
            .WaitAsync(Limits.Long);
        var entries = await db.StreamRangeAsync("stream").WaitAsync(Limits.Long);
        entries.Select(entry => (int)entry["k"]).Should().Equal(Enumerable.Range(0, 3000));
        entries[2999]["v"].Should().Be((RedisValue)"x2999");
    }

    [Fact]
    public async Task SortedSetAndHash_Replies_AreProjected()
    {
        await using var redis = await server.ConnectAsync();
        var db = redis.GetDatabase();
        await db.SortedSetAddAsync("zset", [new("a", 1.5), new("b", 2.5)]);
        await db.HashSetAsync("hash", [new("f", "1"), new("g", "2")]);
        (await db.SortedSetRangeByRankWithScoresAsync("zset")).Should().Equal(new SortedSetEntry("a", 1.5), new SortedSetEntry("b", 2.5));
        (await db.HashGetAllAsync("hash")).Should().BeEquivalentTo([new HashEntry("f", "1"), new HashEntry("g", "2")]);
        (await db.SortedSetScoresAsync("zset", ["b", "none"])).Should().Equal(2.5, null);
    }

    private static async Task<RedisResult[]> EvaluateAsync(ConnectionMultiplexer redis, string script) =>
        (RedisResult[])(await redis.GetDatabase().ScriptEvaluateAsync(script).WaitAsync(Limits.Long))!;

    // Not recursive: follows the last element of each array.
    private static (int Depth, int Value) Depth(RedisResult result)
    {
        var depth = 0;
        while (result.Resp2Type == ResultType.Array)
        {
            var items = (RedisResult[])result!;
            result = items[^1];
            depth++;
        }

        return (depth, (int)result);
    }
}
