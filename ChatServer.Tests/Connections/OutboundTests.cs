using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Net.Sockets;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Tests.Connections.Support;
using ChatServer.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

/// <summary>The same promises of both ways out, on real loopback sockets.</summary>
public sealed class OutboundTests
{
    private const int Limit = 256 * 1024;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly byte[] Frame = FrameWriter.Frame(Opcode.Binary, new byte[1000]);

    public enum Way
    {
        Socket,
        Stream,
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task TrySend_PeerReads_ArrivesAndLeavesNothingBehind(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);

        outbound.TrySend(Frame).Should().Be(SendResult.Sent);

        (await pair.ReceiveAsync(Frame.Length, timeout.Token)).Should().Equal(Frame);
        await outbound.WaitForDrainAsync(0, timeout.Token);
        outbound.QueuedBytes.Should().Be(0);
        outbound.BufferedBytes.Should().Be(0);
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task TrySend_PeerDoesNotRead_IsSlowAtTheLimitAndStaysSo(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);

        int sent = await SendUntilSlowAsync(outbound, timeout.Token);

        outbound.QueuedBytes.Should().BeInRange(Limit - Frame.Length, Limit);
        outbound.TrySend(Frame).Should().Be(SendResult.Slow);
        outbound.TrySend([0x8A, 0x00]).Should().Be(SendResult.Slow, "a slow peer gets nothing but its close frame");

        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, Patience);
        byte[] close = FrameWriter.Close(CloseReason.SlowConsumer);
        byte[] all = await pair.ReceiveAsync((sent * Frame.Length) + close.Length, timeout.Token);
        await closing.WaitAsync(timeout.Token);

        all.AsSpan(sent * Frame.Length).SequenceEqual(close).Should().BeTrue("all that was accepted, then the close frame");
        for (int i = 0; i < sent; i++)
        {
            all.AsSpan(i * Frame.Length, Frame.Length).SequenceEqual(Frame).Should().BeTrue();
        }

        outbound.BufferedBytes.Should().Be(0);
    }

    /// <summary>A burst larger than kernel and limit: the frame that the kernel cut is finished, no other begun.</summary>
    [Fact]
    public async Task TrySend_BurstOverTheLimitThatTheKernelTakesInPart_EndsAtAFrame()
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = new SocketOutbound(pair.Server, limitBytes: 2000);
        byte[] burst = [.. Enumerable.Repeat(Frame, 20_000).SelectMany(frame => frame)];

        outbound.TrySend(burst).Should().Be(SendResult.Slow);
        outbound.QueuedBytes.Should().BeLessThan(Frame.Length);
        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, Patience);

        byte[] close = FrameWriter.Close(CloseReason.SlowConsumer);
        var reading = pair.ReceiveAsync(burst.Length, timeout.Token);
        await closing.WaitAsync(timeout.Token);
        pair.Server.Shutdown(SocketShutdown.Send);
        byte[] all = await reading;

        ((all.Length - close.Length) % Frame.Length).Should().Be(0);
        all.AsSpan(all.Length - close.Length).SequenceEqual(close).Should().BeTrue();
    }

    /// <summary>What is meant for many is held once, whatever the number of those that can't take it at once.</summary>
    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task TrySend_SharedBurstFarOverTheLimit_ArrivesAndIsHeldOnce(Way way)
    {
        const int Peers = 3, Batches = 4;
        using var timeout = new CancellationTokenSource(Patience);
        var pairs = new List<SocketPair>();
        var outbounds = new List<Outbound>();
        for (int i = 0; i < Peers; i++)
        {
            pairs.Add(await SocketPair.OpenAsync(timeout.Token));
            outbounds.Add(Open(way, pairs[^1]));
        }

        var batch = new PooledBytes();
        for (int i = 0; i < Batches; i++)
        {
            for (int frame = 0; frame < 1000; frame++)
            {
                batch.Write(FrameWriter.Frame(Opcode.Binary, [.. BitConverter.GetBytes((i * 1000) + frame), .. new byte[996]]));
            }

            outbounds.Should().AllSatisfy(outbound => outbound.TrySend(batch, 0).Should().Be(SendResult.Sent));
            batch.Clear();
        }

        outbounds.Should().AllSatisfy(outbound =>
        {
            outbound.BufferedBytes.Should().BeLessThanOrEqualTo(Limit);
            outbound.TrySend(Frame).Should().Be(SendResult.Sent, "single frames have room of their own");
        });
        foreach (var (outbound, pair) in outbounds.Zip(pairs))
        {
            byte[] all = await pair.ReceiveAsync((Batches * 1000 * Frame.Length) + Frame.Length, timeout.Token);
            Enumerable.Range(0, Batches * 1000).Should().OnlyContain(i => BitConverter.ToInt32(all, (i * Frame.Length) + 4) == i);
            await outbound.WaitForDrainAsync(0, timeout.Token);
            outbound.BufferedBytes.Should().Be(0);
            await outbound.DisposeAsync();
            pair.Dispose();
        }
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task IsTooSlow_PeerTakesNothing_AfterAWhileAndHoldsNothingOfOthersAnyMore(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        var time = new FakeTimeProvider();
        await using var outbound = Open(way, pair, time);
        var batch = new PooledBytes();
        batch.Write([.. Enumerable.Repeat(Frame, 1000).SelectMany(frame => frame)]);
        for (int i = 0; i < 12; i++)
        {
            outbound.TrySend(batch, 0).Should().Be(SendResult.Sent);
        }

        time.Advance(ConnectionOptions.SlowAfter - TimeSpan.FromMilliseconds(1));
        outbound.IsTooSlow().Should().BeFalse();

        // What the kernel's buffers take at first may count as taken.
        await Task.Delay(200, timeout.Token);
        time.Advance(TimeSpan.FromMilliseconds(1));
        outbound.IsTooSlow();
        time.Advance(ConnectionOptions.SlowAfter);

        outbound.IsTooSlow().Should().BeTrue();
        outbound.TrySend(Frame).Should().Be(SendResult.Slow);
        outbound.QueuedBytes.Should().BeLessThanOrEqualTo(batch.Length, "the one of which a part has left is finished");
        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, Patience);
        var reading = pair.ReceiveAsync(13 * batch.Length, timeout.Token);
        await closing.WaitAsync(timeout.Token);
        pair.Server.Shutdown(SocketShutdown.Send);
        byte[] all = await reading;
        byte[] close = FrameWriter.Close(CloseReason.SlowConsumer);
        ((all.Length - close.Length) % Frame.Length).Should().Be(0, "whole frames");
        all.AsSpan(all.Length - close.Length).SequenceEqual(close).Should().BeTrue();
        batch.Clear();
    }

    [Fact]
    public async Task TrySend_SharedFramesToOneWhoTakesThemSlowly_IsNotSlow()
    {
        var time = new FakeTimeProvider();
        await using var outbound = new RecordingOutbound(Limit, time);
        outbound.Stall();
        var batch = new PooledBytes();
        batch.Write([.. Enumerable.Repeat(Frame, 5 * Limit / Frame.Length).SelectMany(frame => frame)]);
        outbound.TrySend(batch, 0).Should().Be(SendResult.Sent);
        for (int i = 0; i < 3; i++)
        {
            time.Advance(ConnectionOptions.SlowAfter);
            for (long before = outbound.QueuedBytes; outbound.QueuedBytes > before - (Limit / 2);)
            {
                outbound.Flow();
                outbound.Stall();
                await Task.Delay(1);
            }

            outbound.IsTooSlow().Should().BeFalse();
        }

        outbound.Flow();
        await outbound.WaitForDrainAsync(0).AsTask().WaitAsync(Patience);
        time.Advance(2 * ConnectionOptions.SlowAfter);
        outbound.IsTooSlow().Should().BeFalse();
        batch.Clear();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task TrySend_OneFrameOverTheLimit_FitsAnEmptyQueue(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);
        byte[] frame = FrameWriter.Frame(Opcode.Text, new byte[20 * Limit]);

        outbound.TrySend(frame).Should().Be(SendResult.Sent);

        (await pair.ReceiveAsync(frame.Length, timeout.Token)).AsSpan().SequenceEqual(frame).Should().BeTrue();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task TrySend_EightSendersAtOnce_KeepsEachOnesOrderAndEveryByte(Way way)
    {
        const int Senders = 8, Each = 2000;
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);
        var senders = Enumerable.Range(0, Senders).Select(async sender =>
        {
            await Task.Yield();
            var payload = new byte[300];
            payload.AsSpan().Fill((byte)sender);
            for (int i = 0; i < Each; i++)
            {
                BinaryPrimitives.WriteInt32LittleEndian(payload, i);
                var frame = FrameWriter.Frame(Opcode.Binary, payload.AsSpan(0, 5 + (((i * 31) + sender) % 290)));
                while (outbound.QueuedBytes > Limit / 2)
                {
                    await outbound.WaitForDrainAsync(Limit / 4, timeout.Token);
                }

                outbound.TrySend(frame).Should().Be(SendResult.Sent);
            }
        }).ToArray();

        var counts = new int[Senders];
        var got = new List<byte>();
        for (int frames = 0; frames < Senders * Each;)
        {
            got.AddRange(await pair.ReceiveAsync(1 + (pair.Client.Available / 2), timeout.Token));
            byte[] bytes = [.. got];
            int at = 0;
            while (bytes.Length - at >= 4 && bytes.Length - at >= FrameWriter.LengthOfFrame(bytes.AsSpan(at)))
            {
                int length = FrameWriter.LengthOfFrame(bytes.AsSpan(at));
                var payload = bytes.AsSpan(at + FrameWriter.HeaderLength(length < 130 ? 1 : 126), length - (length < 130 ? 2 : 4));
                int index = BinaryPrimitives.ReadInt32LittleEndian(payload);
                int sender = payload[4];
                Assert.True(payload[4..].IndexOfAnyExcept((byte)sender) < 0, "a frame in one piece");
                Assert.Equal(counts[sender]++, index);
                at += length;
                frames++;
            }

            got.RemoveRange(0, at);
        }

        await Task.WhenAll(senders).WaitAsync(timeout.Token);
        got.Should().BeEmpty();
        await outbound.WaitForDrainAsync(0, timeout.Token);
        outbound.BufferedBytes.Should().Be(0);
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task WaitForDrainAsync_PeerStartsToRead_CompletesAtTheLevelAskedFor(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);
        int sent = await SendUntilSlowAsync(outbound, timeout.Token);
        var half = outbound.WaitForDrainAsync(Limit / 2, timeout.Token).AsTask();
        var all = outbound.WaitForDrainAsync(0, timeout.Token).AsTask();
        (half.IsCompleted || all.IsCompleted).Should().BeFalse();

        var reading = pair.ReceiveAsync(sent * Frame.Length, timeout.Token);
        await half.WaitAsync(timeout.Token);
        outbound.QueuedBytes.Should().BeLessThanOrEqualTo(Limit / 2);
        await all.WaitAsync(timeout.Token);
        outbound.QueuedBytes.Should().Be(0);
        (await reading).Length.Should().Be(sent * Frame.Length);
    }

    [Fact]
    public async Task WaitForDrainAsync_Cancelled_ThrowsAndLeavesTheRestAlone()
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(Way.Socket, pair);
        await SendUntilSlowAsync(outbound, timeout.Token);
        using var cancelled = new CancellationTokenSource();
        var waiting = outbound.WaitForDrainAsync(0, cancelled.Token).AsTask();

        await cancelled.CancelAsync();

        await waiting.Awaiting(task => task.WaitAsync(timeout.Token)).Should().ThrowAsync<OperationCanceledException>();
        outbound.QueuedBytes.Should().BePositive();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task CloseAsync_Twice_SendsTheFirstReasonOnceAndNothingAfter(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);
        outbound.TrySend(Frame);

        var closings = Enumerable.Range(0, 8).Select(i => outbound.CloseAsync(new CloseReason((ushort)(4000 + i), ""), Patience)).ToArray();
        outbound.TrySend(Frame).Should().Be(SendResult.Closed);
        await Task.WhenAll(closings).WaitAsync(timeout.Token);
        pair.Server.Shutdown(SocketShutdown.Send);

        byte[] all = await pair.ReceiveAsync(10_000, timeout.Token);
        all.Should().Equal([.. Frame, .. FrameWriter.Close(new CloseReason(4000, ""))]);
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task CloseAsync_PeerDoesNotRead_EndsWithTheGrace(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        var time = new FakeTimeProvider();
        await using var outbound = Open(way, pair, time);
        await SendUntilSlowAsync(outbound, timeout.Token);

        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, TimeSpan.FromSeconds(3));
        time.Advance(TimeSpan.FromSeconds(2.9));
        closing.IsCompleted.Should().BeFalse();
        time.Advance(TimeSpan.FromSeconds(0.2));

        await closing.WaitAsync(timeout.Token);
        outbound.QueuedBytes.Should().BePositive();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task Abort_WithAFullQueue_WakesWaitersAndGivesEverythingBack(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        var outbound = Open(way, pair);
        await SendUntilSlowAsync(outbound, timeout.Token);
        var waiting = outbound.WaitForDrainAsync(0, timeout.Token).AsTask();
        var closing = outbound.CloseAsync(CloseReason.SlowConsumer, Patience);

        outbound.Abort();

        await Task.WhenAll(waiting, closing).WaitAsync(timeout.Token);
        outbound.TrySend(Frame).Should().Be(SendResult.Closed);
        await outbound.DisposeAsync().AsTask().WaitAsync(timeout.Token);
        outbound.QueuedBytes.Should().Be(0);
        outbound.BufferedBytes.Should().Be(0);
        await outbound.CloseAsync(CloseReason.Normal, Patience).WaitAsync(timeout.Token);
        await outbound.WaitForDrainAsync(0, timeout.Token);
        outbound.Abort();
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task PeerResets_SendersSeeClosedAndNothingThrows(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);
        await SendUntilSlowAsync(outbound, timeout.Token);
        var waiting = outbound.WaitForDrainAsync(0, timeout.Token).AsTask();

        pair.Client.LingerState = new LingerOption(enable: true, seconds: 0);
        pair.Client.Close();

        await waiting.WaitAsync(timeout.Token);
        outbound.TrySend(Frame).Should().Be(SendResult.Closed);
        outbound.BufferedBytes.Should().Be(0);
        await outbound.CloseAsync(CloseReason.Normal, Patience).WaitAsync(timeout.Token);
    }

    [Theory]
    [InlineData(Way.Socket)]
    [InlineData(Way.Stream)]
    public async Task SocketIsDisposed_SendersSeeClosed(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(way, pair);

        pair.Server.Dispose();
        while (outbound.TrySend(Frame) != SendResult.Closed)
        {
            await Task.Delay(1, timeout.Token);
        }

        outbound.QueuedBytes.Should().Be(0);
    }

    [Fact]
    public async Task SocketOutbound_KernelTakesAll_AllocatesNothing()
    {
        using var timeout = new CancellationTokenSource(Patience);
        using var pair = await SocketPair.OpenAsync(timeout.Token);
        await using var outbound = Open(Way.Socket, pair);
        outbound.TrySend(Frame);
        await pair.ReceiveAsync(Frame.Length, timeout.Token);

        // The least of some rounds: the runtime sets things up once, and a collection asked for by another test may count a little.
        var rounds = Enumerable.Range(0, 5).Select(_ => MeasureSends(outbound, pair.Client)).ToArray();

        rounds.Min(round => round.Allocated).Should().Be(0);
        rounds.Sum(round => round.Queued).Should().Be(0);
    }

    private static (long Allocated, long Queued) MeasureSends(Outbound outbound, Socket client)
    {
        Span<byte> sink = stackalloc byte[2048];
        long before = GC.GetAllocatedBytesForCurrentThread();
        long queued = 0;
        for (int i = 0; i < 500; i++)
        {
            outbound.TrySend(Frame);
            queued += outbound.QueuedBytes;
            for (int got = 0; got < Frame.Length;)
            {
                got += client.Receive(sink[..(Frame.Length - got)]);
            }
        }

        return (GC.GetAllocatedBytesForCurrentThread() - before, queued);
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The pair disposes of the socket that the stream is over.")]
    private static Outbound Open(Way way, SocketPair pair, TimeProvider? time = null) => way == Way.Socket
        ? new SocketOutbound(pair.Server, Limit, time)
        : new StreamOutbound(new NetworkStream(pair.Server), Limit, time);

    /// <summary>Until slow for good, that is with the kernel full: a stream is slow as soon as it is outrun.</summary>
    /// <returns>Frames accepted.</returns>
    private static async Task<int> SendUntilSlowAsync(Outbound outbound, CancellationToken cancellationToken)
    {
        int sent = 0;
        while (true)
        {
            if (outbound.QueuedBytes + Frame.Length > Limit)
            {
                // The kernel may take some more: give it the time before the limit is exceeded.
                await Task.Delay(50, cancellationToken);
                if (outbound.QueuedBytes + Frame.Length > Limit)
                {
                    outbound.TrySend(Frame).Should().Be(SendResult.Slow);
                    return sent;
                }
            }

            outbound.TrySend(Frame).Should().Be(SendResult.Sent);
            sent++;
        }
    }
}
