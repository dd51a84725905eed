using ChatServer.Connections;

namespace ChatServer.Tests.Connections;

public sealed class SendQueueTests
{
    [Fact]
    public void Queue_AppendedAndTakenAtRandom_KeepsEveryByteInOrder()
    {
        var random = new Random(1);
        var queue = new SendQueue();
        int next = 0, expected = 0;
        for (int round = 0; round < 600; round++)
        {
            if (random.Next(2) == 0)
            {
                var bytes = new byte[random.Next(random.Next(2) == 0 ? 50 : 100_000)];
                foreach (ref byte one in bytes.AsSpan())
                {
                    one = (byte)next++;
                }

                queue.Append(bytes);
            }
            else if (queue.Length > 0)
            {
                int count = random.Next(1, queue.First.Length + 1);
                foreach (byte one in queue.First.Span[..count])
                {
                    Assert.True((byte)expected++ == one);
                }

                queue.Take(count);
            }
        }

        queue.Length.Should().Be(next - expected);
        queue.Clear();
    }

    [Fact]
    public void Capacity_Empty_IsZero()
    {
        var queue = new SendQueue();
        queue.Capacity.Should().Be(0);
        queue.Append(new byte[10_000]);
        queue.Append(new byte[10]);
        queue.Capacity.Should().BeInRange(10_010, 32_768);
        while (queue.Length > 0)
        {
            queue.Take(queue.First.Length);
        }

        queue.Capacity.Should().Be(0);
        queue.First.IsEmpty.Should().BeTrue();
    }

    [Fact]
    public void Capacity_OfMuch_IsInPiecesBelowTheLargeObjectHeap()
    {
        var queue = new SendQueue();
        queue.Append(new byte[1 << 20]);
        queue.Capacity.Should().Be(1 << 20);
        queue.First.Length.Should().BeLessThan(85_000);
        queue.Clear();
        queue.Capacity.Should().Be(0);
    }

    [Fact]
    public void First_WhileMoreIsAppended_StaysInPlace()
    {
        var queue = new SendQueue();
        queue.Append([1, 2, 3]);
        var first = queue.First;
        queue.Append(new byte[50_000]);

        first.ToArray().Should().Equal(1, 2, 3);
        queue.First.Span.Overlaps(first.Span, out int offset).Should().BeTrue();
        offset.Should().Be(0);
    }

    [Fact]
    public void ClearBehindFirst_LeavesTheFirstBufferAlone()
    {
        var queue = new SendQueue();
        queue.Append(new byte[4096]);
        queue.Append(new byte[100_000]);

        queue.ClearBehindFirst();

        queue.Capacity.Should().Be(4096);
        queue.Length.Should().Be(4096);
        queue.Append([1]);
        queue.Length.Should().Be(4097);
        queue.Clear();
        queue.Length.Should().Be(0);
        queue.Capacity.Should().Be(0);
        queue.ClearBehindFirst();
        queue.Append([7]);
        queue.First.ToArray().Should().Equal(7);
        queue.Clear();
    }

    [Fact]
    public void Append_SharedAndOwnMixed_KeepsTheOrderAndCountsThemApart()
    {
        var source = new PooledBytes();
        source.Write([4, 5, 6, 7]);
        var queue = new SendQueue();
        queue.Append([1, 2, 3]);
        queue.Append(source.TryShare()!, 0, 2);
        queue.Append(source.TryShare()!, 2, 2);
        queue.Append([8]);
        source.Clear();
        (queue.Length, queue.OwnLength, queue.SharedLength).Should().Be((8, 4, 4));

        var all = new List<byte>();
        while (queue.Length > 0)
        {
            all.Add(queue.First.Span[0]);
            queue.Take(1);
        }

        all.Should().Equal(1, 2, 3, 4, 5, 6, 7, 8);
        (queue.SharedLength, queue.Capacity).Should().Be((0, 0));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void ClearFromShared_LeavesTheFirstBufferAndWhatIsItsOwnBeforeAnyShared(bool beginsShared)
    {
        var source = new PooledBytes();
        source.Write(new byte[500]);
        var queue = new SendQueue();
        if (beginsShared)
        {
            queue.Append(source.TryShare()!, 0, 500);
        }

        queue.Append(new byte[100_000]);
        queue.Append(source.TryShare()!, 0, 500);
        queue.Append([1]);

        queue.ClearFromShared();

        queue.Length.Should().Be(beginsShared ? 100_500 : 100_000);
        queue.Append([9]);
        queue.Clear();
        (queue.Length, queue.SharedLength, queue.Capacity).Should().Be((0, 0, 0));
        source.Clear();
    }
}
