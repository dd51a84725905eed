using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Compat.Tests.Support;
using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

/// <summary>What a connection holds: at the pipe options' thresholds, after its end, and while somebody still uses a buffer.</summary>
public sealed class SocketConnectionPressureTests : IDisposable
{
    private const int Threshold = 64 * 1024;
    private readonly CountingPool _pool = new();

    public void Dispose() => _pool.Dispose();

    [Fact]
    public async Task Flush_PeerDoesNotRead_WaitsAtTheThresholdThenAllArrives()
    {
        using var pair = await SocketPair.CreateAsync(kernelBuffer: 16 * 1024);
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        var bytes = Pattern.Bytes(4_000_000);
        var written = 0;
        var flush = default(ValueTask<FlushResult>);
        while (written < bytes.Length && flush.IsCompleted)
        {
            connection.Output.Write(bytes.AsSpan(written, 4000));
            written += 4000;
            flush = connection.Output.FlushAsync();
            await Task.Yield();
        }

        flush.IsCompleted.Should().BeFalse("the peer takes nothing");
        connection.GetCounters().BytesWaitingToBeSent.Should().BeInRange(1, Threshold + 8000);
        await Limits.UntilAsync(
            () => connection.BytesSent + connection.GetCounters().BytesWaitingToBeSent == written, "what is not sent waits");

        var reading = pair.FarReadAsync(bytes.Length);
        await flush.AsTask().WaitAsync(Limits.Short);
        await connection.Output.SendAsync(bytes[written..]);
        (await reading).Should().Equal(bytes);
        await Limits.UntilAsync(() => connection.GetCounters().BytesWaitingToBeSent == 0, "nothing waits any more");
    }

    [Fact]
    public async Task Flush_Cancelled_SaysSoAndTheBytesStillArrive()
    {
        using var pair = await SocketPair.CreateAsync(kernelBuffer: 16 * 1024);
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        var bytes = Pattern.Bytes(2_000_000);
        var flush = connection.Output.WriteAsync(bytes).AsTask();
        connection.Output.CancelPendingFlush();
        (await flush.WaitAsync(Limits.Short)).IsCanceled.Should().BeTrue();
        (await pair.FarReadAsync(bytes.Length)).Should().Equal(bytes);
    }

    [Fact]
    public async Task Dispose_WhileAFlushWaits_EndsTheFlushAndGivesTheBuffersBack()
    {
        using var pair = await SocketPair.CreateAsync(kernelBuffer: 16 * 1024);
        var connection = SocketConnection.Create(pair.Near, Options(), Options());
        var flush = connection.Output.WriteAsync(Pattern.Bytes(8_000_000)).AsTask();
        connection.Dispose();
        var wait = () => flush.WaitAsync(Limits.Short);
        await wait.Should().ThrowAsync<ObjectDisposedException>();
        await connection.Output.CompleteAsync();
        await connection.Input.CompleteAsync();
        await Limits.UntilAsync(() => _pool.Out == 0, "all buffers are back");
    }

    [Fact]
    public async Task Receive_UserDoesNotRead_StopsAtTheThresholdThenAllCome()
    {
        using var pair = await SocketPair.CreateAsync(kernelBuffer: 16 * 1024);
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        var bytes = Pattern.Bytes(4_000_000);
        using var far = new NetworkStream(pair.Far);
        var sending = far.WriteAsync(bytes).AsTask();
        await Limits.UntilAsync(() => connection.GetCounters().BytesWaitingToBeRead >= Threshold, "the pipe is full");
        await Task.Delay(100);
        connection.GetCounters().BytesWaitingToBeRead.Should().BeLessThanOrEqualTo(Threshold + (64 * 1024));
        sending.IsCompleted.Should().BeFalse();

        (await connection.Input.ReadExactlyAsync(0)).Should().BeEmpty();
        using var received = new MemoryStream();
        while (received.Length < bytes.Length)
        {
            var read = await connection.Input.ReadAsync().AsTask().WaitAsync(Limits.Short);
            foreach (var piece in read.Buffer)
            {
                received.Write(piece.Span);
            }

            connection.Input.AdvanceTo(read.Buffer.End);
        }

        received.ToArray().Should().Equal(bytes);
        await sending.WaitAsync(Limits.Short);
    }

    [Fact]
    public async Task Dispose_WhileReceivingWaitsForTheReader_EndsReceiving()
    {
        using var pair = await SocketPair.CreateAsync();
        var connection = SocketConnection.Create(pair.Near, Options(), Options());
        using var far = new NetworkStream(pair.Far);
        await far.WriteAsync(Pattern.Bytes(100_000)).AsTask().WaitAsync(Limits.Short);
        await Limits.UntilAsync(() => connection.GetCounters().BytesWaitingToBeRead >= Threshold, "the pipe is full");
        connection.Dispose();
        await Limits.UntilAsync(() => HasEnded(connection.Input), "receiving ends though nobody reads");
        await connection.Input.CompleteAsync();
        await connection.Output.CompleteAsync();
        await Limits.UntilAsync(() => _pool.Out == 0, "all buffers are back");
    }

    [Fact]
    public async Task InputComplete_WhileABufferIsInHand_KeepsTheBufferUntilItIsGivenUp()
    {
        using var pair = await SocketPair.CreateAsync();
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        await pair.Far.SendAsync(Pattern.Bytes(100));
        var read = await connection.Input.ReadAsync().AsTask().WaitAsync(Limits.Short);
        await connection.Output.CompleteAsync();
        await connection.Input.CompleteAsync();
        connection.Dispose();
        await Task.Delay(50);
        _pool.Out.Should().BePositive("its next owner would write into what is still being read");
        read.Buffer.ToArray().Should().Equal(Pattern.Bytes(100));
        connection.Input.AdvanceTo(read.Buffer.End);
        await Limits.UntilAsync(() => _pool.Out == 0, "the buffer is back");
    }

    [Fact]
    public async Task OutputComplete_WhileMemoryIsInHand_KeepsTheMemoryUntilItIsGivenUp()
    {
        using var pair = await SocketPair.CreateAsync();
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        _ = connection.Output.GetMemory(10);
        await connection.Output.CompleteAsync();
        (await pair.Far.ReceiveAsync(new byte[1]).WaitAsync(Limits.Short)).Should().Be(0, "the peer sees the end all the same");
        connection.Dispose();
        await connection.Input.CompleteAsync();
        await Task.Delay(50);
        _pool.Out.Should().BePositive();
        connection.Output.Advance(10);
        await Limits.UntilAsync(() => _pool.Out == 0, "the memory is back");
        connection.Invoking(c => c.Output.GetMemory()).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public async Task ZeroLengthReads_Idle_HoldsNoBuffer()
    {
        using var pair = await SocketPair.CreateAsync();
        using var connection = SocketConnection.Create(pair.Near, Options(), Options(), SocketConnectionOptions.ZeroLengthReads);
        await Task.Delay(50);
        _pool.Rented.Should().Be(0);
        await pair.Far.SendAsync(Pattern.Bytes(100));
        (await connection.Input.ReadExactlyAsync(100)).Should().Equal(Pattern.Bytes(100));
    }

    [Fact]
    public async Task Teardown_EveryWay_LeavesNoUnobservedException()
    {
        var unobserved = new List<Exception>();
        void Note(object? sender, UnobservedTaskExceptionEventArgs e) => unobserved.Add(e.Exception);
        TaskScheduler.UnobservedTaskException += Note;
        try
        {
            for (var i = 0; i < 60; i++)
            {
                await TearDownAsync(i % 6);
            }

            GC.Collect();
            GC.WaitForPendingFinalizers();
            GC.Collect();
        }
        finally
        {
            TaskScheduler.UnobservedTaskException -= Note;
        }

        unobserved.Should().BeEmpty();
        await Limits.UntilAsync(() => _pool.Out == 0, "all buffers are back");
    }

    // Looks without consuming, so that it makes no room in the pipe.
    private static bool HasEnded(PipeReader reader)
    {
        try
        {
            if (reader.TryRead(out var read))
            {
                reader.AdvanceTo(read.Buffer.Start, read.Buffer.Start);
            }

            return false;
        }
        catch (ObjectDisposedException)
        {
            return true;
        }
    }

    private async Task TearDownAsync(int way)
    {
        using var pair = await SocketPair.CreateAsync();
        using var connection = SocketConnection.Create(pair.Near, Options(), Options());
        await connection.Output.SendAsync(Pattern.Bytes(50_000));
        await pair.Far.SendAsync(Pattern.Bytes(1000));
        switch (way)
        {
            case 0:
                pair.FarReset();
                break;
            case 1:
                pair.Far.Dispose();
                break;
            case 2:
                connection.Dispose();
                break;
            case 3:
                pair.Near.Dispose();
                break;
            case 4:
                await connection.Input.CompleteAsync(new IOException("enough"));
                break;
            default:
                await connection.Output.CompleteAsync(new IOException("enough"));
                break;
        }

        await Task.Delay(2);
        await connection.Input.CompleteAsync();
        await connection.Output.CompleteAsync();
    }

    private PipeOptions Options() => new(_pool, pauseWriterThreshold: Threshold, resumeWriterThreshold: Threshold / 2);
}
