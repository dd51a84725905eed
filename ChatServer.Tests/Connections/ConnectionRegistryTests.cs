using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Sessions;
using ChatServer.Tests.Connections.Support;

namespace ChatServer.Tests.Connections;

public sealed class ConnectionRegistryTests
{
    private readonly ConnectionRegistry _connections = new(
        new ConnectionOptions(100, 3, 1 << 20, TimeSpan.FromSeconds(10), TimeSpan.FromSeconds(25), TimeSpan.FromSeconds(10)));

    [Fact]
    public void User_OverTheLimit_IsRefusedUntilOneGoes()
    {
        var mine = Enumerable.Range(0, 4).Select(_ => New(7)).ToList();
        mine.Take(3).Should().AllSatisfy(connection => _connections.TryAddToUser(connection).Should().BeTrue());

        _connections.TryAddToUser(mine[3]).Should().BeFalse();
        _connections.TryAddToUser(New(8)).Should().BeTrue("the limit is each user's own");
        _connections.OfUser(7).Should().Equal(mine.Take(3));
        _connections.Remove(mine[3]);
        _connections.OfUser(7).Should().HaveCount(3, "who was refused was never counted");
        _connections.Remove(mine[0]);
        _connections.Remove(mine[0]);
        _connections.TryAddToUser(mine[3]).Should().BeTrue();
        _connections.OfUser(7).Should().Equal(mine[1], mine[2], mine[3]);
    }

    [Fact]
    public void OfUser_TakenBefore_DoesNotChange()
    {
        var (one, two) = (New(7), New(7));
        _connections.TryAddToUser(one);
        var before = _connections.OfUser(7);

        _connections.TryAddToUser(two);
        _connections.Remove(one);

        before.Should().Equal(one);
        _connections.OfUser(7).Should().Equal(two);
    }

    [Fact]
    public void AddAndRemove_ManyThreads_EndWithNobody()
    {
        Parallel.For(0, 2000, number =>
        {
            var connection = New(number % 5);
            _connections.Add(connection);
            if (_connections.TryAddToUser(connection))
            {
                Assert.InRange(_connections.OfUser(number % 5).Count, 0, 3);
            }

            _connections.Remove(connection);
        });

        _connections.Count.Should().Be(0);
        Enumerable.Range(0, 5).Should().AllSatisfy(user => _connections.OfUser(user).Should().BeEmpty());
    }

    [Fact]
    public void CloseAll_ClosesTheAuthenticatedAndTheOthers()
    {
        var (known, unknown) = (New(7), new Connection(new RecordingOutbound(), () => { }, TimeProvider.System));
        _connections.Add(known);
        _connections.Add(unknown);

        _connections.CloseAll(CloseReason.Restart);

        known.IsClosing.Should().BeTrue();
        unknown.IsClosing.Should().BeTrue();
    }

    private static Connection New(long user)
    {
        var connection = new Connection(new RecordingOutbound(), () => { }, TimeProvider.System);
        connection.Authenticated(new Caller(user, 3, "rest", null, new SessionKey("s", 3, user), null));
        return connection;
    }
}
