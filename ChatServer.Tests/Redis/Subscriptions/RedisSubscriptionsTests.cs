using ChatServer.Redis;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Redis.Subscriptions;

public sealed class RedisSubscriptionsTests(RedisServer redis) : IClassFixture<RedisServer>
{
    private const int Limit = 30_000;

    /// <summary>Each call has all rooms of the node read their logs.</summary>
    [Fact(Timeout = Limit)]
    public async Task WhenRestored_ConnectionIsReplaced_CallsBackOnceWhenItDelivers()
    {
        await using var node = await RedisNode.ConnectAsync(redis);
        var (calls, heard) = (0, 0);
        node.Backplane.WhenRestored(() => Interlocked.Increment(ref calls));
        await using var subscription = await node.Backplane.SubscribeToUserAsync(7, _ => Interlocked.Increment(ref heard));
        await Eventually.TrueAsync(() => Volatile.Read(ref calls) == 1, TimeSpan.FromSeconds(10), () => "no first probe came");

        for (var round = 2; round <= 3; round++)
        {
            await node.Database.ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
            await Eventually.TrueAsync(() => Volatile.Read(ref calls) == round, TimeSpan.FromSeconds(10), () => "nobody was told");
            await node.Database.PublishAsync(RedisChannel.Literal(RedisKeys.UserChannel(7)), "{}");
            await Eventually.TrueAsync(() => Volatile.Read(ref heard) == round - 1, TimeSpan.FromSeconds(5), () => "it is deaf");

            // The probes of two more seconds follow on each other.
            await Task.Delay(2200);
            calls.Should().Be(round);
        }
    }

    /// <summary>The connection looks healthy and brings nothing, and those that are to replace it do not get as far as it.</summary>
    [Fact(Timeout = Limit)]
    public async Task Replace_TheSuccessorCannotSubscribe_LeavesNoConnectionBehind()
    {
        await using var proxy = new TcpProxy(redis.Port, isRedis: true);
        await using var node = await RedisNode.ConnectAsync(proxy.Port);
        var calls = 0;
        node.Backplane.WhenRestored(() => Interlocked.Increment(ref calls));
        await Eventually.TrueAsync(() => Volatile.Read(ref calls) == 1, TimeSpan.FromSeconds(10), () => "no first probe came");
        var open = proxy.Open;

        (proxy.SwallowsMessages, proxy.SwallowsConfirmations) = (true, true);
        await Task.Delay(RedisOptions.ProbeLostAfter + RedisOptions.AnswerWithin + TimeSpan.FromSeconds(2));
        proxy.Resume();

        await Eventually.TrueAsync(() => Volatile.Read(ref calls) == 2, TimeSpan.FromSeconds(10), () => "nobody was told");
        await Eventually.TrueAsync(() => proxy.Open == open, TimeSpan.FromSeconds(5), () => $"{proxy.Open} are open, {open} were");
    }
}
