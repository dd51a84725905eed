using System.Text;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Tests.Connections.Support;
using ChatServer.Tests.Support;
using ChatServer.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

public sealed class ConnectionTests : IAsyncDisposable
{
    private const int Limit = 20_000;

    private readonly FakeTimeProvider _time = new();
    private readonly RecordingOutbound _outbound;
    private readonly Connection _connection;
    private int _aborts;

    public ConnectionTests()
    {
        _outbound = new RecordingOutbound(1024, _time);
        _connection = new Connection(_outbound, () => Interlocked.Increment(ref _aborts), _time);
    }

    public ValueTask DisposeAsync() => _outbound.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Close_ManyAtOnce_SendsTheFirstReasonOnce()
    {
        _connection.Close(CloseReason.SessionEnded);
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => Task.Run(() => _connection.Close(CloseReason.Restart))));

        _connection.IsClosing.Should().BeTrue();
        _outbound.CloseCodes.Should().Equal(4503);
        _connection.SendText("{}"u8).Should().BeFalse();
        _outbound.Frames.Should().ContainSingle();
        for (var second = 0; second < 12; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }

        _aborts.Should().Be(1, "Kestrel uses the context again");
    }

    [Fact(Timeout = Limit)]
    public async Task Close_PeerDoesNotAnswer_IsAbortedOnceAfterTheGrace()
    {
        _connection.Close(CloseReason.Restart);
        _time.Advance(TimeSpan.FromSeconds(4.9));
        _aborts.Should().Be(0);

        _time.Advance(TimeSpan.FromSeconds(0.2));
        await Eventually.TrueAsync(() => Volatile.Read(ref _aborts) == 1, TimeSpan.FromSeconds(5), () => "it was not aborted");

        _time.Advance(TimeSpan.FromMinutes(1));
        _connection.Close(CloseReason.Restart);
        _aborts.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Close_PeerDoesNotEvenRead_IsAbortedAfterBothGraces()
    {
        _outbound.Stall();
        _connection.Close(CloseReason.SlowConsumer);
        for (var second = 0; second < 12; second++)
        {
            _time.Advance(TimeSpan.FromSeconds(1));
            await Task.Delay(5);
        }

        await Eventually.TrueAsync(() => Volatile.Read(ref _aborts) == 1, TimeSpan.FromSeconds(5), () => "it was not aborted");
        _outbound.Abort();
    }

    [Fact(Timeout = Limit)]
    public async Task Finish_ClosingOrNot_NothingIsAbortedAfterwards()
    {
        _connection.Close(CloseReason.Restart);
        _connection.Finish();
        _time.Advance(TimeSpan.FromMinutes(1));
        await Task.Delay(50);

        var other = new Connection(_outbound, () => Interlocked.Increment(ref _aborts), _time);
        other.Finish();
        other.Close(CloseReason.Restart);
        _time.Advance(TimeSpan.FromMinutes(1));
        await Task.Delay(50);

        _aborts.Should().Be(0, "the transport belongs to another request by then");
        other.IsClosing.Should().BeFalse();
    }

    [Fact]
    public void Send_QueueIsFull_ClosesWith4001()
    {
        _outbound.Stall();
        _connection.Send(new byte[1000]).Should().BeTrue();

        _connection.Send(FrameWriter.Frame(Opcode.Text, new byte[100])).Should().BeFalse();

        _connection.IsClosing.Should().BeTrue();
        _outbound.Abort();
    }

    [Fact]
    public void SendText_AnyLength_IsOneFrame()
    {
        var outbound = new RecordingOutbound();
        var connection = new Connection(outbound, () => { }, _time);
        foreach (var length in (int[])[2, 125, 126, 65_535, 65_536, 200_000])
        {
            connection.SendText(new byte[length]).Should().BeTrue();
        }

        outbound.Frames.Select(frame => (frame.Opcode, frame.Payload.Length)).Should()
            .Equal((Opcode.Text, 2), (Opcode.Text, 125), (Opcode.Text, 126), (Opcode.Text, 65_535), (Opcode.Text, 65_536),
                (Opcode.Text, 200_000));
    }

    [Fact]
    public void SendToUser_BeforeTheWelcome_IsNotSent()
    {
        _connection.SendToUser(FrameWriter.Frame(Opcode.Text, "{\"type\":\"early\"}"u8));
        _connection.HoldWelcome("{\"type\":\"auth\"}"u8);
        _connection.SendWelcome();
        _connection.SendToUser(FrameWriter.Frame(Opcode.Text, "{\"type\":\"late\"}"u8));

        _outbound.Texts.Select(frame => (string)frame["type"]!).Should().Equal("auth", "late");
    }

    [Fact]
    public void HoldWelcome_ThenSend_LeavesInOneWriteAndFirst()
    {
        _connection.HoldWelcome("{\"type\":\"auth\"}"u8);
        _connection.SendToUser(FrameWriter.Frame(Opcode.Text, "{\"type\":\"early\"}"u8));
        _outbound.Frames.Should().BeEmpty("it waits for what comes next");

        _connection.SendText("{\"type\":\"joined\"}"u8);
        _connection.SendToUser(FrameWriter.Frame(Opcode.Text, "{\"type\":\"late\"}"u8));
        _connection.SendWelcome();

        _outbound.Texts.Select(frame => (string)frame["type"]!).Should().Equal("auth", "joined", "late");
        _outbound.Writes.Should().Be(2);
    }

    [Fact(Timeout = Limit)]
    public async Task HoldWelcome_ManySendAtOnce_NobodyOvertakesIt()
    {
        for (var round = 0; round < 200; round++)
        {
            var outbound = new RecordingOutbound();
            var connection = new Connection(outbound, () => { }, _time);
            connection.HoldWelcome("{\"type\":\"auth\"}"u8);
            using var start = new Barrier(4);
            await Task.WhenAll(Enumerable.Range(0, 4).Select(number => Task.Run(() =>
            {
                start.SignalAndWait();
                connection.SendText(Encoding.ASCII.GetBytes($$"""{"type":"{{number}}"}"""));
            })));

            outbound.Texts.Select(frame => (string)frame["type"]!).Should().HaveCount(5).And.HaveElementAt(0, "auth");
        }
    }

    [Fact]
    public void Ids_AreRandomAndSixteenDigits()
    {
        var ids = Enumerable.Range(0, 1000).Select(_ => new Connection(_outbound, () => { }, _time).IdText).ToList();

        ids.Should().OnlyHaveUniqueItems();
        ids.Should().AllSatisfy(id => id.Should().MatchRegex("^[0-9a-f]{16}$"));
    }
}
