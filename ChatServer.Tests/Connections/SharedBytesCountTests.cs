using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Tests.Connections.Support;
using ChatServer.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

/// <summary>What is shared is counted over the whole process, so these tests have the process to themselves.</summary>
[Collection(SharedBytesCollection.Name)]
public sealed class SharedBytesCountTests
{
    private const int Limit = 64 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly byte[] Frame = FrameWriter.Frame(Opcode.Binary, new byte[1000]);

    [Fact]
    public void Append_OneBufferInManyQueues_IsCountedOnceUntilTheLastHasLetGo()
    {
        var before = Counted();
        var source = new PooledBytes();
        source.Write(new byte[1_000_000]);
        var shared = source.TryShare()!;
        var queues = Enumerable.Range(0, 100).Select(_ => new SendQueue()).ToList();
        queues.ForEach(queue => queue.Append(shared, 0, 1_000_000));
        var size = Counted() - before;
        size.Should().BeInRange(1_000_000, 1_100_000);

        source.Clear();
        queues[0].Take(queues[0].First.Length);
        queues.Skip(1).ToList().ForEach(queue => queue.Clear());
        (Counted() - before).Should().Be(size, "one of them has not taken all of it");
        while (queues[0].Length > 0)
        {
            queues[0].Take(queues[0].First.Length);
        }

        Counted().Should().Be(before);
    }

    [Fact]
    public void Append_OneBufferTwiceInAQueue_IsHeldUntilBothPartsHaveGone()
    {
        var before = Counted();
        var source = new PooledBytes();
        source.Write([1, 2, 3, 4]);
        var queue = new SendQueue();
        queue.Append(source.TryShare()!, 0, 2);
        queue.Append(source.TryShare()!, 2, 2);
        source.Clear();

        queue.Take(2);
        Counted().Should().BeGreaterThan(before);
        queue.First.ToArray().Should().Equal(3, 4);
        queue.Take(2);

        Counted().Should().Be(before);
    }

    /// <summary>Where no more may be shared, a peer has what its own queue holds, and no more.</summary>
    [Fact]
    public async Task TrySend_AllThatMayBeSharedIsUsedUp_TheLimitAloneCounts()
    {
        var before = Counted();
        var others = new PooledBytes();
        others.Write(new byte[ConnectionOptions.MaxSharedBytes]);
        others.TryShare().Should().NotBeNull();
        await using var outbound = new RecordingOutbound(Limit);
        outbound.Stall();
        var batch = new PooledBytes();
        batch.Write(Frames(Limit / Frame.Length));

        outbound.TrySend(batch, 0).Should().Be(SendResult.Sent);
        outbound.TrySend(batch, 0).Should().Be(SendResult.Slow);

        others.Clear();
        batch.Clear();
        Counted().Should().Be(before);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task IsTooSlow_BecomesSlowOrGoes_HoldsNothingOfOthersAnyMore(bool goes)
    {
        var before = Counted();
        var time = new FakeTimeProvider();
        await using var outbound = new RecordingOutbound(Limit, time);
        outbound.Stall();
        for (var number = 0; number < 4; number++)
        {
            var batch = new PooledBytes();
            batch.Write(Frames(200));
            outbound.TrySend(batch, 0).Should().Be(SendResult.Sent);
            batch.Clear();
        }

        var all = Counted() - before;
        if (goes)
        {
            await outbound.DisposeAsync().AsTask().WaitAsync(Patience);
            Counted().Should().Be(before);
            return;
        }

        time.Advance(ConnectionOptions.SlowAfter);
        outbound.IsTooSlow().Should().BeTrue();
        (Counted() - before).Should().BeLessThanOrEqualTo(all / 4, "the batch of which a part may have left is finished");
        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, Patience);
        outbound.Flow();
        await closing.WaitAsync(Patience);
        Counted().Should().Be(before);
        outbound.CloseCodes.Should().Equal(4001);
    }

    /// <summary>The bytes that are shared now: the least bound under which nothing at all may be added.</summary>
    private static long Counted()
    {
        long least = 0, most = 2L * ConnectionOptions.MaxSharedBytes;
        while (least < most)
        {
            var middle = (least + most) / 2;
            if (SharedBytes.TryMake([], middle) is { } probe)
            {
                probe.LetGo();
                most = middle;
            }
            else
            {
                least = middle + 1;
            }
        }

        return least;
    }

    private static byte[] Frames(int count) => [.. Enumerable.Repeat(Frame, count).SelectMany(frame => frame)];
}

[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class SharedBytesCollection
{
    public const string Name = "SharedBytes";
}
