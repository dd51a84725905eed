using ChatServer.Connections;
using ChatServer.Tests.Connections.Support;
using ChatServer.WebSockets;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Connections;

/// <summary>To the byte: what finds room, and when a peer is slow. The peer takes nothing unless a test lets it.</summary>
public sealed class OutboundLimitTests : IAsyncLifetime
{
    private const int Limit = 10_000;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly PooledBytes _batch = new();
    private readonly RecordingOutbound _outbound;

    public OutboundLimitTests()
    {
        _outbound = new(Limit, _time);
        _outbound.Stall();
    }

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        await _outbound.DisposeAsync().AsTask().WaitAsync(Patience);
        _batch.Clear();
    }

    [Fact]
    public void TrySend_ExactlyTheLimit_FindsRoomAndNotAByteMore()
    {
        _outbound.TrySend(FrameOf(Limit - 1000)).Should().Be(SendResult.Sent);
        _outbound.TrySend(FrameOf(1000)).Should().Be(SendResult.Sent);
        _outbound.QueuedBytes.Should().Be(Limit);

        _outbound.TrySend(FrameOf(2)).Should().Be(SendResult.Slow);
        _outbound.QueuedBytes.Should().Be(Limit, "of what finds no room nothing is sent");
    }

    [Fact]
    public async Task TrySend_AFrameBeyondTheLimitInAnEmptyQueue_FindsRoomAndNothingBehindIt()
    {
        var large = FrameOf(5 * Limit);
        _outbound.TrySend(large).Should().Be(SendResult.Sent);
        _outbound.IsTooSlow().Should().BeFalse("it has its time");

        _outbound.TrySend(FrameOf(2)).Should().Be(SendResult.Slow);

        _outbound.Flow();
        await _outbound.WaitForDrainAsync(0).AsTask().WaitAsync(Patience);
        _outbound.Length.Should().Be(large.Length);
    }

    [Fact]
    public async Task TrySend_AFrameBeyondTheLimitAgainAndAgain_FindsRoomWheneverTheQueueIsEmpty()
    {
        for (var number = 1; number <= 5; number++)
        {
            _outbound.Stall();
            _outbound.TrySend(FrameOf(5 * Limit)).Should().Be(SendResult.Sent);
            _outbound.Flow();
            await _outbound.WaitForDrainAsync(0).AsTask().WaitAsync(Patience);
        }

        _outbound.Frames.Should().HaveCount(5);
    }

    [Fact]
    public void TrySend_FramesTogetherBeyondTheLimitInAnEmptyQueue_TheFirstFindsRoom()
    {
        _outbound.TrySend([.. FrameOf(Limit), .. FrameOf(2)]).Should().Be(SendResult.Slow);

        _outbound.QueuedBytes.Should().Be(Limit);
    }

    [Fact]
    public void TrySend_SharedFrames_LeaveHalfTheLimitToWhatIsTheirOwn()
    {
        _batch.Write(FrameOf(Limit / 2));
        _outbound.TrySend(_batch, 0).Should().Be(SendResult.Sent);
        _outbound.BufferedBytes.Should().BePositive("half the limit is copied");
        for (var number = 0; number < 10; number++)
        {
            _outbound.TrySend(_batch, 0).Should().Be(SendResult.Sent, "the rest is shared");
        }

        _outbound.TrySend(FrameOf(Limit / 2)).Should().Be(SendResult.Sent);
        _outbound.QueuedBytes.Should().Be(6 * Limit);
        _outbound.TrySend(FrameOf(2)).Should().Be(SendResult.Slow);
    }

    [Fact]
    public void TrySend_SharedFrames_AreBoundedForOnePeer()
    {
        const int frame = 1024 * 1024;
        _batch.Write(FrameOf(frame));
        for (var number = 0; number < ConnectionOptions.MaxSharedBytesOfPeer / frame; number++)
        {
            _outbound.TrySend(_batch, 0).Should().Be(SendResult.Sent);
        }

        _outbound.QueuedBytes.Should().Be(ConnectionOptions.MaxSharedBytesOfPeer);
        _outbound.TrySend(_batch, 0).Should().Be(SendResult.Slow);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task IsTooSlow_ABurstIsTakenInTimeOrNot(bool inTime)
    {
        _batch.Write([.. Enumerable.Range(0, 100).SelectMany(_ => FrameOf(Limit / 2))]);
        _outbound.TrySend(_batch, 0).Should().Be(SendResult.Sent);
        _time.Advance(ConnectionOptions.SlowAfter - TimeSpan.FromMilliseconds(1));
        _outbound.IsTooSlow().Should().BeFalse();
        if (inTime)
        {
            _outbound.Flow();
            await _outbound.WaitForDrainAsync(0).AsTask().WaitAsync(Patience);
        }

        _time.Advance(TimeSpan.FromMilliseconds(1));

        _outbound.IsTooSlow().Should().Be(!inTime);
        _outbound.TrySend(FrameOf(2)).Should().Be(inTime ? SendResult.Sent : SendResult.Slow);
    }

    /// <summary>A frame of exactly that many bytes, its header included.</summary>
    private static byte[] FrameOf(int bytes)
    {
        var payload = bytes - 2;
        while (FrameWriter.HeaderLength(payload) + payload > bytes)
        {
            payload--;
        }

        var frame = FrameWriter.Frame(Opcode.Binary, new byte[payload]);
        frame.Length.Should().Be(bytes);
        return frame;
    }
}
