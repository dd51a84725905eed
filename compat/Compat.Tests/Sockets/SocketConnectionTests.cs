using System.Buffers;
using System.IO.Pipelines;
using System.Net.Sockets;
using Compat.Tests.Support;
using Pipelines.Sockets.Unofficial;

namespace Compat.Tests.Sockets;

public sealed class SocketConnectionTests : IAsyncLifetime
{
    private SocketPair _pair = null!;
    private SocketConnection _connection = null!;

    public async ValueTask InitializeAsync()
    {
        _pair = await SocketPair.CreateAsync();
        _connection = SocketConnection.Create(_pair.Near, null, null, SocketConnectionOptions.None, " test ");
    }

    public ValueTask DisposeAsync()
    {
        _connection.Dispose();
        _pair.Dispose();
        return default;
    }

    [Fact]
    public async Task Send_ManyPieces_ArriveInOrder()
    {
        var options = new PipeOptions(minimumSegmentSize: 100, pauseWriterThreshold: 1 << 22, resumeWriterThreshold: 1 << 21);
        using var pair = await SocketPair.CreateAsync();
        using var connection = SocketConnection.Create(pair.Near, options, null);
        var bytes = Pattern.Bytes(1_000_000);
        for (var start = 0; start < bytes.Length; start += 1000)
        {
            bytes.AsSpan(start, 1000).CopyTo(connection.Output.GetSpan(1000));
            connection.Output.Advance(1000);
        }

        var flush = connection.Output.FlushAsync();
        (await pair.FarReadAsync(bytes.Length)).Should().Equal(bytes);
        await flush.AsTask().WaitAsync(Limits.Short);
        await Limits.UntilAsync(() => connection.BytesSent == bytes.Length, "all bytes are counted as sent");
    }

    [Fact]
    public async Task Counters_BothWays_TellWhatCameWentAndWaits()
    {
        _connection.LastReceived.Should().Be(0);
        await _connection.Output.SendAsync(Pattern.Bytes(300));
        await _pair.FarReadAsync(300);
        await _pair.Far.SendAsync(Pattern.Bytes(500));
        await Limits.UntilAsync(() => _connection.BytesRead == 500, "500 bytes come");
        await Limits.UntilAsync(() => _connection.BytesSent == 300, "300 bytes go");
        ((IMeasuredDuplexPipe)_connection).TotalBytesSent.Should().Be(300);
        ((IMeasuredDuplexPipe)_connection).TotalBytesReceived.Should().Be(500);
        _connection.LastReceived.Should().Be(500);
        _connection.GetCounters().BytesWaitingToBeRead.Should().Be(500);
        _connection.GetCounters().BytesWaitingToBeSent.Should().Be(0);
        _connection.GetCounters().BytesAvailableOnSocket.Should().Be(0);
        await _connection.Input.ReadExactlyAsync(200);
        _connection.GetCounters().BytesWaitingToBeRead.Should().Be(300);
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.None);
        _connection.ToString().Should().Be("test");
    }

    [Fact]
    public async Task TryRead_NothingThere_IsFalseAndReadingGoesOn()
    {
        _connection.Input.TryRead(out _).Should().BeFalse();
        await _pair.Far.SendAsync(Pattern.Bytes(10));
        await Limits.UntilAsync(() => _connection.BytesRead == 10, "the bytes come");
        await Limits.UntilAsync(() => _connection.Input.TryRead(out var read) && Consume(read), "the bytes can be read");
        _connection.GetCounters().BytesWaitingToBeRead.Should().Be(0);

        bool Consume(ReadResult read)
        {
            _connection.Input.AdvanceTo(read.Buffer.End);
            return true;
        }
    }

    [Fact]
    public async Task OutputComplete_BytesStillToSend_SendsThemThenEndsThatHalf()
    {
        var bytes = Pattern.Bytes(60_000);
        await _connection.Output.SendAsync(bytes[..50_000]);
        _connection.Output.Write(bytes.AsSpan(50_000));
        await _connection.Output.CompleteAsync();
        (await _pair.FarReadAsync(bytes.Length)).Should().Equal(bytes, "also what was never flushed");
        (await _pair.Far.ReceiveAsync(new byte[1]).WaitAsync(Limits.Short)).Should().Be(0);

        await _pair.Far.SendAsync(Pattern.Bytes(10));
        (await _connection.Input.ReadExactlyAsync(10)).Should().Equal(Pattern.Bytes(10), "the other half lives on");
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.OutputWriterCompleted);
    }

    [Fact]
    public async Task PeerEndsItsHalf_InputEndsInGoodOrder_AndSendingGoesOn()
    {
        await _pair.Far.SendAsync(Pattern.Bytes(1000));
        _pair.Far.Shutdown(SocketShutdown.Send);
        (await _connection.Input.ReadToEndAsync()).Should().Equal(Pattern.Bytes(1000));
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.ReadEndOfStream);
        _connection.SocketError.Should().Be(SocketError.Success);
        _connection.LastReceived.Should().Be(0);

        await _connection.Output.SendAsync(Pattern.Bytes(20));
        (await _pair.FarReadAsync(20)).Should().Equal(Pattern.Bytes(20));
    }

    [Fact]
    public async Task PeerResets_ReadThrowsAndKindTellsTheSocketError()
    {
        _pair.FarReset();
        var read = () => _connection.Input.ReadAsync().AsTask().WaitAsync(Limits.Short);
        (await read.Should().ThrowAsync<ConnectionResetException>()).WithInnerException<SocketException>();
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.ReadSocketError);
        _connection.SocketError.Should().Be(SocketError.ConnectionReset);
    }

    [Fact]
    public async Task PeerResets_LaterFlushesFail()
    {
        _pair.FarReset();
        await Limits.UntilAsync(() => _connection.ShutdownKind != PipeShutdownKind.None, "the reset is seen");
        var send = async () =>
        {
            while (true)
            {
                await _connection.Output.SendAsync(Pattern.Bytes(1000));
            }
        };
        await send.Should().ThrowAsync<Exception>().Where(e => e is SocketException || e is ConnectionResetException);
    }

    [Fact]
    public async Task Dispose_WhileAReadWaits_EndsTheRead()
    {
        var read = _connection.Input.ReadAsync().AsTask();
        _connection.Dispose();
        var wait = () => read.WaitAsync(Limits.Short);
        await wait.Should().ThrowAsync<ObjectDisposedException>();
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.PipeDisposed);
        _connection.GetCounters().BytesAvailableOnSocket.Should().Be(0);
        _connection.Invoking(c => c.Dispose()).Should().NotThrow("a second time is nothing");
    }

    [Fact]
    public async Task ReadAsync_Cancelled_LeavesTheConnectionUsable()
    {
        using var cancel = new CancellationTokenSource();
        var read = _connection.Input.ReadAsync(cancel.Token).AsTask();
        await cancel.CancelAsync();
        var wait = () => read.WaitAsync(Limits.Short);
        await wait.Should().ThrowAsync<OperationCanceledException>();

        var again = _connection.Input.ReadAsync().AsTask();
        _connection.Input.CancelPendingRead();
        (await again.WaitAsync(Limits.Short)).IsCanceled.Should().BeTrue();
        await _pair.Far.SendAsync(Pattern.Bytes(10));
        (await _connection.Input.ReadExactlyAsync(10)).Should().Equal(Pattern.Bytes(10));
    }

    [Fact]
    public async Task InputComplete_ReceivingEnds_AndSendingGoesOn()
    {
        await _connection.Input.CompleteAsync();
        _connection.ShutdownKind.Should().Be(PipeShutdownKind.InputReaderCompleted);
        _connection.Invoking(c => c.Input.TryRead(out _)).Should().Throw<InvalidOperationException>();
        await _connection.Output.SendAsync(Pattern.Bytes(20));
        (await _pair.FarReadAsync(20)).Should().Equal(Pattern.Bytes(20));
    }

    [Theory]
    [InlineData(PipeShutdownKind.ProtocolExitClient, true)]
    [InlineData(PipeShutdownKind.ProtocolExitServer, true)]
    [InlineData(PipeShutdownKind.ReadEndOfStream, false)]
    [InlineData(PipeShutdownKind.None, false)]
    public void TrySetProtocolShutdown_OnlyProtocolExits_AreTaken(PipeShutdownKind kind, bool taken)
    {
        _connection.TrySetProtocolShutdown(kind).Should().Be(taken);
        _connection.ShutdownKind.Should().Be(taken ? kind : PipeShutdownKind.None);
        _connection.Dispose();
        _connection.ShutdownKind.Should().Be(taken ? kind : PipeShutdownKind.PipeDisposed, "the first cause stays");
    }

    [Fact]
    public void SetRecommendedClientOptions_TcpSocket_SendsAtOnce()
    {
        using var tcp = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        using var unix = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        SocketConnection.SetRecommendedClientOptions(tcp);
        SocketConnection.SetRecommendedClientOptions(unix);
        SocketConnection.AssertDependencies();
        tcp.NoDelay.Should().BeTrue();
    }
}
