using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Rooms;

public sealed class ReplayBufferTests
{
    private readonly RoomKey _key = Drafts.NewRoom();

    [Fact]
    public void Covers_OnlyWhatCameSinceItsStart()
    {
        var buffer = new ReplayBuffer(10, null);
        buffer.Append(Drafts.Message(_key, 11));
        buffer.Append(Drafts.Message(_key, 12));

        buffer.Covers(9, 12).Should().BeFalse();
        buffer.Covers(10, 12).Should().BeTrue();
        buffer.Covers(12, 12).Should().BeTrue();
        buffer.FramesAfter(12).Should().BeEmpty();
        buffer.FramesAfter(11).Length.Should().BeLessThan(buffer.FramesAfter(10).Length);
    }

    [Fact]
    public void Covers_TooMuchCame_NothingButTheHeadItself()
    {
        var buffer = new ReplayBuffer(0, null);
        var large = new RelayedMessage(1, "e1", 1, new byte[300 * 1024]);
        buffer.Append(large);

        buffer.Covers(0, 1).Should().BeFalse();
        buffer.Covers(1, 1).Should().BeTrue();
    }

    [Fact]
    public void Buffers_EachHoldsWhatIsDeliveredUntilItStops()
    {
        var buffers = new ReplayBuffers();
        var one = buffers.Start(0);
        var two = buffers.Start(0);
        var three = buffers.Start(0);
        buffers.Append(Drafts.Message(_key, 1));
        buffers.Stop(two);
        buffers.Append(Drafts.Message(_key, 2));
        buffers.Stop(three);
        buffers.Append(Drafts.Message(_key, 3));
        buffers.Stop(one);
        buffers.Append(Drafts.Message(_key, 4));

        Count(one).Should().Be(3);
        Count(two).Should().Be(1);
        Count(three).Should().Be(2);
    }

    [Fact]
    public void Buffers_TheNumberingJumps_NoneCoversAnything()
    {
        var buffers = new ReplayBuffers();
        var one = buffers.Start(0);
        buffers.Append(Drafts.Message(_key, 1));

        buffers.Spoil();

        one.Covers(0, 1).Should().BeFalse();
        one.FramesAfter(0).Should().BeEmpty();
    }

    /// <summary>These messages are all of one length.</summary>
    private int Count(ReplayBuffer buffer)
    {
        var one = new ReplayBuffer(0, null);
        one.Append(Drafts.Message(_key, 1));
        return buffer.FramesAfter(0).Length / one.FramesAfter(0).Length;
    }
}
