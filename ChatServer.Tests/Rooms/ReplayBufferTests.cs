using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Rooms;

public sealed class ReplayBufferTests
{
    private readonly RoomKey _key = Drafts.NewRoom();
    private readonly ReplayBuffer _buffer = new();

    [Fact]
    public void Covers_OnlyWhatCameSinceTheFirstNewcomerBegan()
    {
        Append(10);
        _buffer.Start();
        Append(11, 12);

        _buffer.Covers(9, 12).Should().BeFalse();
        _buffer.Covers(10, 12).Should().BeTrue();
        _buffer.Covers(12, 12).Should().BeTrue();
        _buffer.Covers(15, 12).Should().BeTrue("it has seen more than the room here");
        Count(15).Should().Be(0);
        Count(12).Should().Be(0);
        Count(11).Should().Be(1);
        Count(10).Should().Be(2);
    }

    [Fact]
    public void Start_MoreNewcomers_ShareWhatIsKeptUntilTheLastHasGone()
    {
        _buffer.Start();
        Append(1, 2);
        _buffer.Start();
        Append(3);
        _buffer.Stop();
        Append(4);

        Count(0).Should().Be(4);
        _buffer.Covers(0, 4).Should().BeTrue();
        _buffer.Stop();
        Append(5);
        _buffer.Covers(4, 5).Should().BeFalse("nobody was there for it");
        _buffer.Start();
        Append(6);
        _buffer.Covers(4, 6).Should().BeFalse();
        _buffer.Covers(5, 6).Should().BeTrue();
    }

    [Fact]
    public void Append_TooMuch_TheOldestGoAndWhoHasThoseIsCovered()
    {
        _buffer.Start();
        for (var seq = 1; seq <= 1000; seq++)
        {
            _buffer.Append(new(seq, "e1", 1, new byte[10_000]));
        }

        var held = RoomOptions.MaxReplayBufferBytes / 10_000;
        _buffer.Covers(1000 - held, 1000).Should().BeTrue();
        _buffer.Covers(1000 - held - 1, 1000).Should().BeFalse();
        _buffer.FramesAfter(1000 - held).Length.Should().BeInRange(held * 10_000, held * 10_100);
        _buffer.FramesAfter(999).Length.Should().BeInRange(10_000, 10_100);
    }

    [Fact]
    public void Append_OneLargerThanAll_KeepsNothingAndWhatFollowsLeadsOn()
    {
        _buffer.Start();
        Append(1);
        _buffer.Append(new(2, "e1", 1, new byte[RoomOptions.MaxReplayBufferBytes + 1]));

        _buffer.Covers(1, 2).Should().BeFalse();
        _buffer.Covers(2, 2).Should().BeTrue();
        Append(3);
        _buffer.Covers(1, 3).Should().BeFalse();
        _buffer.Covers(2, 3).Should().BeTrue();
    }

    [Fact]
    public void Clear_TheNumberingJumps_CoversOnlyWhatComesAfter()
    {
        _buffer.Start();
        Append(1);

        _buffer.Clear();

        _buffer.Covers(0, 1).Should().BeFalse();
        _buffer.FramesAfter(0).Should().BeEmpty();
        Append(8);
        _buffer.Covers(1, 8).Should().BeFalse();
        _buffer.Covers(7, 8).Should().BeTrue();
    }

    private void Append(params long[] seqs)
    {
        foreach (var seq in seqs)
        {
            _buffer.Append(Drafts.Message(_key, seq, identifier: "one length"));
        }
    }

    private int Count(long seen)
    {
        var one = new ReplayBuffer();
        one.Start();
        one.Append(Drafts.Message(_key, 1, identifier: "one length"));
        return _buffer.FramesAfter(seen).Length / one.FramesAfter(0).Length;
    }
}
