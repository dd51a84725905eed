using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Compat.Tests.Support;
using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

public sealed class StreamConnectionTests : IDisposable
{
    private const int Threshold = 64 * 1024;
    private readonly CountingPool _pool = new();
    private readonly ScriptedStream _stream = new();

    public void Dispose()
    {
        _stream.Dispose();
        _pool.Dispose();
    }

    [Fact]
    public async Task GetDuplex_BothWays_CarriesAndCounts()
    {
        using var pair = await SocketPair.CreateAsync();
        var duplex = StreamConnection.GetDuplex(new NetworkStream(pair.Near), Options(), Options(), "tls");
        using var end = (IDisposable)duplex;
        var bytes = Pattern.Bytes(1_000_000);
        var sending = duplex.Output.WriteAsync(bytes);
        (await pair.FarReadAsync(bytes.Length)).Should().Equal(bytes);
        await sending.AsTask().WaitAsync(Limits.Short);
        using var far = new NetworkStream(pair.Far);
        var answering = far.WriteAsync(bytes.AsMemory(0, 60_000));
        (await duplex.Input.ReadExactlyAsync(60_000)).Should().Equal(bytes[..60_000]);
        await answering;

        var measured = duplex.Should().BeAssignableTo<IMeasuredDuplexPipe>().Which;
        await Limits.UntilAsync(() => measured.TotalBytesSent == bytes.Length, "all is counted as sent");
        measured.TotalBytesReceived.Should().Be(60_000);
        duplex.ToString().Should().Be("tls");
    }

    [Fact]
    public async Task GetDuplex_StreamDoesNotTakeBytes_FlushWaits()
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        using var taken = new MemoryStream();
        _stream.OnWrite = async (bytes, _) =>
        {
            await gate.Task;
            taken.Write(bytes.Span);
        };
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        using var end = (IDisposable)duplex;
        var flush = duplex.Output.WriteAsync(Pattern.Bytes(Threshold + 1)).AsTask();
        await Task.Delay(50);
        flush.IsCompleted.Should().BeFalse();
        gate.SetResult();
        await flush.WaitAsync(Limits.Short);
        await Limits.UntilAsync(() => _stream.Flushes > 0 && taken.Length == Threshold + 1, "all is written and flushed");
        taken.ToArray().Should().Equal(Pattern.Bytes(Threshold + 1));
    }

    [Fact]
    public async Task GetDuplex_UserDoesNotRead_ReadingStopsAtTheThreshold()
    {
        _stream.OnRead = (buffer, _) => new ValueTask<int>(buffer.Length);
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        using var end = (IDisposable)duplex;
        var measured = (IMeasuredDuplexPipe)duplex;
        await Limits.UntilAsync(() => measured.TotalBytesReceived >= Threshold, "the pipe is full");
        await Task.Delay(50);
        measured.TotalBytesReceived.Should().BeLessThan(Threshold * 3);
        var before = measured.TotalBytesReceived;
        await duplex.Input.ReadExactlyAsync(Threshold);
        await Limits.UntilAsync(() => measured.TotalBytesReceived > before, "it goes on");
    }

    [Fact]
    public async Task GetDuplex_ReadFails_InputThrowsIt()
    {
        _stream.OnRead = (_, _) => throw new InvalidDataException("no TLS");
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        using var end = (IDisposable)duplex;
        var read = () => duplex.Input.ReadAsync().AsTask().WaitAsync(Limits.Short);
        await read.Should().ThrowAsync<InvalidDataException>().WithMessage("no TLS");
        await duplex.Output.SendAsync(Pattern.Bytes(10));
        await Limits.UntilAsync(() => _stream.Flushes == 1, "the other direction lives on");
    }

    [Fact]
    public async Task GetDuplex_WriteFails_LaterFlushesThrowIt()
    {
        _stream.OnWrite = (_, _) => throw new IOException("broken", new SocketException((int)SocketError.ConnectionReset));
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        using var end = (IDisposable)duplex;
        var send = async () =>
        {
            while (true)
            {
                await duplex.Output.SendAsync(Pattern.Bytes(10));
            }
        };
        await send.Should().ThrowAsync<ConnectionResetException>().WithMessage("broken");
    }

    [Fact]
    public async Task GetDuplex_StreamEnds_InputEnds()
    {
        _stream.OnRead = (_, _) => new ValueTask<int>(0);
        var duplex = StreamConnection.GetDuplex(_stream);
        using var end = (IDisposable)duplex;
        (await duplex.Input.ReadToEndAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task GetDuplex_OutputCompleted_WritesAndFlushesWhatIsLeft()
    {
        using var taken = new MemoryStream();
        _stream.OnWrite = (bytes, _) =>
        {
            taken.Write(bytes.Span);
            return default;
        };
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        using var end = (IDisposable)duplex;
        duplex.Output.Write(Pattern.Bytes(30_000));
        await duplex.Output.CompleteAsync();
        await Limits.UntilAsync(() => _stream.Flushes > 0 && taken.Length == 30_000, "all is written and flushed");
        _stream.IsDisposed.Should().BeFalse("the other direction is open");
    }

    [Fact]
    public async Task Dispose_ReadAndWriteWait_EndsBothAndTheStream()
    {
        _stream.OnWrite = static async (_, cancelled) => await Task.Delay(Timeout.Infinite, cancelled);
        var duplex = StreamConnection.GetDuplex(_stream, Options(), Options());
        var read = duplex.Input.ReadAsync().AsTask();
        var flush = duplex.Output.WriteAsync(Pattern.Bytes(Threshold)).AsTask();
        ((IDisposable)duplex).Dispose();
        var waitForRead = () => read.WaitAsync(Limits.Short);
        var waitForFlush = () => flush.WaitAsync(Limits.Short);
        await waitForRead.Should().ThrowAsync<ObjectDisposedException>();
        await waitForFlush.Should().ThrowAsync<ObjectDisposedException>();
        _stream.IsDisposed.Should().BeTrue();
        await duplex.Input.CompleteAsync();
        await duplex.Output.CompleteAsync();
        await Limits.UntilAsync(() => _pool.Out == 0, "all buffers are back");
    }

    [Fact]
    public void GetDuplex_StreamOfOneDirection_Throws()
    {
        var create = () => StreamConnection.GetDuplex(new MemoryStream([1], writable: false));
        create.Should().Throw<ArgumentException>();
    }

    [Fact]
    public async Task GetReader_Stream_IsReadAndStaysOpen()
    {
        using var source = new MemoryStream(Pattern.Bytes(100_000));
        var reader = StreamConnection.GetReader(source, Options(), "replay");
        (await reader.ReadExactlyAsync(100_000)).Should().Equal(Pattern.Bytes(100_000));
        _pool.Rented.Should().BePositive("the pool given is used");
        await reader.CompleteAsync();
        _pool.Out.Should().Be(0);
        source.CanRead.Should().BeTrue();
    }

    private PipeOptions Options() => new(_pool, pauseWriterThreshold: Threshold, resumeWriterThreshold: Threshold / 2);
}
