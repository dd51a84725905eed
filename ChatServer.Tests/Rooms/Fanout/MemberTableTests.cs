using ChatServer.Rooms.Fanout;
using ChatServer.Tests.Rooms.Support;

namespace ChatServer.Tests.Rooms.Fanout;

public sealed class MemberTableTests
{
    [Fact]
    public void AddAndRemove_AtRandom_HoldsExactlyThoseWhoAreIn()
    {
        var random = new Random(1);
        var table = new MemberTable();
        var oracle = new List<Member>();
        for (var step = 0; step < 5000; step++)
        {
            if (oracle.Count == 0 || random.Next(100) < (step < 2500 ? 60 : 40))
            {
                var member = new Member(new RoomPeer().Connection);
                table.Add(member);
                oracle.Add(member);
            }
            else
            {
                var gone = oracle[random.Next(oracle.Count)];
                oracle.Remove(gone);
                table.Remove(gone);
                gone.Index.Should().Be(-1);
            }

            Assert.Equal(oracle.Count, table.Count);
            Assert.True(table.Snapshot.Length <= Math.Max(16, 4 * oracle.Count), "holes are squeezed out");
        }

        table.Snapshot.ToArray().Where(member => member is not null).Should().Equal(oracle, "members stay in the order of their coming");
        oracle.Should().AllSatisfy(member => table.Snapshot.Span[member.Index].Should().BeSameAs(member));
    }

    [Fact]
    public void Snapshot_TakenBefore_NeverShowsLaterMembers()
    {
        var table = new MemberTable();
        var first = new Member(new RoomPeer().Connection);
        table.Add(first);
        var before = table.Snapshot;
        for (var count = 0; count < 100; count++)
        {
            table.Add(new Member(new RoomPeer().Connection));
        }

        before.ToArray().Should().Equal(first);
    }
}
