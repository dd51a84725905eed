using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;
using ChatServer.Tests.Relay;

namespace ChatServer.Tests.Rooms;

public sealed class RoomTailTests
{
    private readonly RoomKey _key = Drafts.NewRoom();

    [Fact]
    public void Covers_OnlyWhatCameSinceItsStart()
    {
        var tail = new RoomTail(10, null);
        RoomTail.Append(tail, Drafts.Message(_key, 11));
        RoomTail.Append(tail, Drafts.Message(_key, 12));

        tail.Covers(9, 12).Should().BeFalse();
        tail.Covers(10, 12).Should().BeTrue();
        tail.Covers(12, 12).Should().BeTrue();
        tail.FramesAfter(12).Should().BeEmpty();
        tail.FramesAfter(11).Length.Should().BeLessThan(tail.FramesAfter(10).Length);
    }

    [Fact]
    public void Covers_TooMuchCame_NothingButTheHeadItself()
    {
        var tail = new RoomTail(0, null);
        var large = new RelayedMessage(1, "e1", 1, new byte[300 * 1024]);
        RoomTail.Append(tail, large);

        tail.Covers(0, 1).Should().BeFalse();
        tail.Covers(1, 1).Should().BeTrue();
    }

    [Fact]
    public void Append_ReachesEveryTailUntilItIsRemoved()
    {
        var one = new RoomTail(0, null);
        var two = new RoomTail(0, one);
        var three = new RoomTail(0, two);
        RoomTail? first = three;
        RoomTail.Append(first, Drafts.Message(_key, 1));
        first = RoomTail.Remove(first, two);
        RoomTail.Append(first, Drafts.Message(_key, 2));
        first = RoomTail.Remove(first, three);
        RoomTail.Append(first, Drafts.Message(_key, 3));

        Count(one).Should().Be(3);
        Count(two).Should().Be(1);
        Count(three).Should().Be(2);
        RoomTail.Remove(first, one).Should().BeNull();
    }

    /// <summary>These messages are all of one length.</summary>
    private int Count(RoomTail tail)
    {
        var one = new RoomTail(0, null);
        RoomTail.Append(one, Drafts.Message(_key, 1));
        return tail.FramesAfter(0).Length / one.FramesAfter(0).Length;
    }
}
