using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Outbox.Support;

namespace ChatServer.Tests.Outbox;

public sealed class RoomHandTests : IDisposable
{
    private static readonly RoomKey Room = new(3, 1);

    private readonly ReadAhead _readAhead = new();
    private readonly RoomHand _hand;

    public RoomHandTests() => _hand = new(_readAhead);

    public void Dispose() => _readAhead.Dispose();

    [Fact]
    public void Take_ThereIsSpace_IsInHandAndCounted()
    {
        _hand.Take(Page(1, 2, 3), isNeeded: false);

        (_hand.Count, _hand.Ready, _hand.NextSender, _hand.Epoch).Should().Be((3, 3, 1, "e"));
        _readAhead.Bytes.Should().Be(Page(1, 2, 3).Messages.Sum(message => message.Size));
        _hand.LetGo();
        (_hand.Count, _readAhead.Bytes).Should().Be((0, 0L));
    }

    [Fact]
    public void Take_ThereIsNoSpace_KnowsWhatIsNextAndHasNothing()
    {
        _readAhead.TryTake(OutboxOptions.MaxBytesInHand).Should().BeTrue();

        _hand.Take(Page(2, 3), isNeeded: false);

        (_hand.Count, _hand.Ready, _hand.NextSender).Should().Be((0, 2, 2));
        _readAhead.Bytes.Should().Be(OutboxOptions.MaxBytesInHand);
    }

    [Fact]
    public void Take_ThereIsNoSpaceButItIsNeeded_IsInHandUntilTheCallIsOver()
    {
        _readAhead.TryTake(OutboxOptions.MaxBytesInHand).Should().BeTrue();

        _hand.Take(Page(2, 3), isNeeded: true);
        _hand.Count.Should().Be(2);
        _hand.Remove(1);
        _hand.LetGoIfBorrowed();

        (_hand.Count, _hand.Ready, _hand.NextSender).Should().Be((0, 1, 3));
        _readAhead.Bytes.Should().Be(OutboxOptions.MaxBytesInHand);
    }

    [Fact]
    public void Remove_All_GivesTheSpaceBack()
    {
        _hand.Take(Page(1, 2), isNeeded: false);

        _hand.Remove(1);
        (_hand.Ready, _hand.NextSender).Should().Be((1, 2));
        _hand.LetGoIfBorrowed();
        _hand.Count.Should().Be(1, "there is space for it");
        _hand.Remove(1);

        _readAhead.Bytes.Should().Be(0);
    }

    [Fact]
    public void Next_FilesAndWhatCanNotBeRead_GoAlone()
    {
        PendingSave[] messages =
        [
            Saving.Pending(Room, 1), Saving.Pending(Room, 2), WithFile(3), Saving.Pending(Room, 4), new("5", 5, "?"u8.ToArray(), null),
            Saving.Pending(Room, 6), Saving.Pending(Room, 7),
        ];
        _hand.Take(new("e", messages, HasMore: true), isNeeded: false);
        var parts = new List<string>();
        while (_hand.Count > 0)
        {
            var next = _hand.Next(most: 10);
            parts.Add($"{_hand.Ready}: {string.Join(' ', next.Select(pending => pending.Seq))}");
            _hand.Remove(next.Count);
        }

        parts.Should().Equal("2: 1 2", "0: 3", "1: 4", "0: 5", "2: 6 7");
    }

    [Fact]
    public void Next_MoreThanACallMayCarry_IsCut()
    {
        _hand.Take(Page(1, 1, 1, 1), isNeeded: false);

        _hand.Next(3).Select(pending => pending.Seq).Should().Equal(1, 2, 3);
        _hand.Next(1).Should().ContainSingle();
    }

    private static RoomPage Page(params long[] senders) =>
        new("e", [.. senders.Select((sender, index) => Saving.Pending(Room, index + 1, user: sender))], HasMore: true);

    private static PendingSave WithFile(long seq)
    {
        var pending = Saving.Pending(Room, seq);
        return pending with { Message = pending.Message! with { File = new("x", "a", "b/c", 1, "s", "/files/x") } };
    }
}
