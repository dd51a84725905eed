using Compat.Tests.Support;
using StackExchange.Redis;

namespace Compat.Tests.Redis;

/// <summary>What networks do to a connection, through a real proxy in front of a real Redis.</summary>
public sealed class NetworkTests(RedisServer server) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private readonly TcpProxy _proxy = new(server.EndPoint);
    private ConnectionMultiplexer _redis = null!;

    public async ValueTask InitializeAsync() => _redis = await server.ConnectAsync(_proxy.EndPoint);

    public async ValueTask DisposeAsync()
    {
        await _redis.DisposeAsync();
        await _proxy.DisposeAsync();
    }

    [Fact]
    public async Task Reply_InPiecesOf1To7Bytes_IsTheSame()
    {
        var db = _redis.GetDatabase();
        var value = Pattern.Bytes(5000);
        await db.StringSetAsync("split", value);
        _proxy.LargestPiece = 7;
        ((byte[]?)await db.StringGetAsync("split").WaitAsync(Limits.Long)).Should().Equal(value);
        var nested = (RedisResult[])(await db.ScriptEvaluateAsync(
            "local r = {} for i = 1, 200 do r[i] = {i, {'x' .. i}} end return r").WaitAsync(Limits.Long))!;
        nested.Select(item => (int)((RedisResult[])item!)[0]).Should().Equal(Enumerable.Range(1, 200));
        var replies = await Task.WhenAll(Enumerable.Range(0, 500).Select(_ => db.StringIncrementAsync("count"))).WaitAsync(Limits.Long);
        replies.Should().Equal(Enumerable.Range(1, 500).Select(i => (long)i));
    }

    [Fact]
    public async Task Connection_CutInMidReply_FailsThatReplyAndRecovers()
    {
        var db = _redis.GetDatabase();
        var value = Pattern.Bytes(5_000_000);
        await db.StringSetAsync("cut", value).WaitAsync(Limits.Short);
        var failures = new List<ConnectionFailedEventArgs>();
        var restored = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _redis.ConnectionFailed += (_, e) => failures.Add(e);
        _redis.ConnectionRestored += (_, e) =>
        {
            if (e.ConnectionType == ConnectionType.Interactive)
            {
                restored.TrySetResult();
            }
        };

        _proxy.CutAfter(2_000_000);
        var get = () => db.StringGetAsync("cut").WaitAsync(Limits.Long);
        await get.Should().ThrowAsync<RedisConnectionException>();
        await restored.Task.WaitAsync(Limits.Long);
        ((byte[]?)await get()).AsSpan().SequenceEqual(value).Should().BeTrue();
        failures.Should().ContainSingle(e => e.ConnectionType == ConnectionType.Interactive)
            .Which.Exception!.Message.Should().Contain("ReadSocketError/ConnectionReset", "the cause is told as the package tells it");
    }

    [Fact]
    public async Task Connection_ClosedByTheServer_FailsInGoodOrderAndRecovers()
    {
        var failed = new TaskCompletionSource<ConnectionFailedEventArgs>(TaskCreationOptions.RunContinuationsAsynchronously);
        _redis.ConnectionFailed += (_, e) => failed.TrySetResult(e);
        await using var other = await server.ConnectAsync();
        await other.GetServer(server.EndPoint).ExecuteAsync("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes");
        (await failed.Task.WaitAsync(Limits.Short)).FailureType.Should().Be(ConnectionFailureType.SocketClosed);
        await Limits.UntilAsync(() => _redis.IsConnected, "it reconnects");
        (await _redis.GetDatabase().PingAsync().WaitAsync(Limits.Short)).Should().BePositive();
    }

    [Fact]
    public async Task Sends_ServerStalls_HoldLittleMemoryAndAllArriveInOrder()
    {
        const int Count = 1000;
        var payload = Pattern.Bytes(64 * 1024);
        var db = _redis.GetDatabase();
        await db.StringAppendAsync("appended", "");
        _proxy.Stall();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        var replies = Enumerable.Range(0, Count).Select(_ => db.StringAppendAsync("appended", payload)).ToList();
        var sent = _proxy.ToServer;
        await Task.Delay(1000);
        var held = GC.GetTotalMemory(forceFullCollection: true) - before;
        replies.Should().OnlyContain(reply => !reply.IsCompleted);
        _proxy.ToServer.Should().BeLessThan(sent + (256 * 1024));
        held.Should().BeLessThan(8 * 1024 * 1024, "64 MB are on their way, and the pipe holds half a megabyte of them");

        _proxy.Resume();
        var lengths = await Task.WhenAll(replies).WaitAsync(Limits.Long);
        lengths.Should().Equal(Enumerable.Range(1, Count).Select(i => (long)i * payload.Length));
    }

    [Fact]
    public async Task PubSub_HundredThousandMessages_ArriveInOrder()
    {
        const int Count = 100_000;
        var channel = RedisChannel.Literal("ordered");
        var queue = await _redis.GetSubscriber().SubscribeAsync(channel).WaitAsync(Limits.Short);
        await using var publisher = await server.ConnectAsync();
        var publishing = PublishAsync(publisher, channel, Count);
        for (var i = 0; i < Count; i++)
        {
            var message = await queue.ReadAsync().AsTask().WaitAsync(Limits.Short);
            ((int)message.Message).Should().Be(i);
        }

        await publishing.WaitAsync(Limits.Short);
    }

    private static async Task PublishAsync(ConnectionMultiplexer publisher, RedisChannel channel, int count)
    {
        var db = publisher.GetDatabase();
        for (var i = 0; i < count; i++)
        {
            await db.PublishAsync(channel, i, CommandFlags.FireAndForget);
            if (i % 5000 == 4999)
            {
                await db.PingAsync();
            }
        }
    }
}
