using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;

namespace ChatServer.Tests.Backplane;

public sealed class AcceptQueueTests
{
    private readonly AcceptQueue _queue = new();
    private readonly RedisKeys _keys = new(partitions: 1);

    [Fact]
    public void MoveTo_MessagesOfManyRooms_KeepsEachRoomTogetherAndInOrder()
    {
        foreach (var (room, identifier) in new[] { (1, "a"), (2, "b"), (1, "c"), (3, "d"), (2, "e"), (1, "f") })
        {
            Add(room, identifier);
        }

        Take(100).Should().Equal("1a", "1c", "1f", "2b", "2e", "3d");
        Take(100).Should().BeEmpty();
    }

    [Fact]
    public void MoveTo_ARoomWithMoreThanABatch_LetsTheOthersGoBetween()
    {
        for (var number = 0; number < 7; number++)
        {
            Add(1, $"{number}");
        }

        Add(2, "x");

        Take(3).Should().Equal("10", "11", "12");
        Add(3, "y");
        Take(3).Should().Equal(["2x", "13", "14"], "the other room does not wait until the first one has said all");
        Take(3).Should().Equal("3y", "15", "16");
        Take(3).Should().BeEmpty();
    }

    [Fact]
    public void MoveTo_ManyRoundsOfManyRooms_LosesAndSwapsNothing()
    {
        var random = new Random(1);
        var (sent, seen) = (new int[40], new int[40]);
        for (var round = 0; round < 2000; round++)
        {
            for (var count = random.Next(20); count > 0; count--)
            {
                var room = random.Next(1, 40);
                Add(room, $"-{sent[room]++}");
            }

            foreach (var text in Take(random.Next(1, 16)))
            {
                Check(text);
            }
        }

        Take(int.MaxValue).ForEach(Check);
        seen.Should().Equal(sent);

        void Check(string text)
        {
            var parts = text.Split('-');
            var room = int.Parse(parts[0]);
            int.Parse(parts[1]).Should().Be(seen[room]++);
        }
    }

    [Fact]
    public void MoveTo_LargeMessages_AreBoundedInBytesAndRoomsTakeTurns()
    {
        foreach (var identifier in (string[])["a", "b", "c", "d"])
        {
            Add(1, identifier, new string('x', 10_000));
        }

        Add(2, "x");
        Add(3, "y", new string('y', 50_000));

        Take(100, 25_000).Should().Equal(["1a", "1b", "2x"], "the large one begins the next");
        Take(100, 25_000).Should().Equal(["3y"], "one goes whatever its size, alone");
        Take(100, 25_000).Should().Equal("1c", "1d");
        Take(100, 25_000).Should().BeEmpty();
    }

    [Fact]
    public void MoveTo_ARoomWithALotOfBytes_GetsItsPartAndTheOthersGoWithIt()
    {
        foreach (var identifier in (string[])["a", "b", "c", "d"])
        {
            Add(1, identifier, new string('x', 10_000));
        }

        Add(2, "x");
        Add(3, "y", new string('y', 50_000));

        Take(100, mostOfRoom: 25_000).Should().Equal("1a", "1b", "2x", "3y");
        Take(100, mostOfRoom: 25_000).Should().Equal("1c", "1d");
    }

    private void Add(long room, string identifier, string body = "hello") =>
        _queue.Add(new(Drafts.Of(new(3, room), 7, identifier, body), new RoomNames(_keys, new RoomKey(3, room)), Silent.Listener));

    private List<string> Take(int most, long mostBytes = long.MaxValue, long mostOfRoom = long.MaxValue)
    {
        var batch = new List<PostedMessage>();
        _queue.MoveTo(batch, most, mostBytes, mostOfRoom);
        batch.Count.Should().BeLessThanOrEqualTo(most);
        return [.. batch.Select(posted => $"{posted.Draft.Room.RoomId}{posted.Draft.Identifier}")];
    }

    private sealed class Silent : IAcceptListener
    {
        public static Silent Listener { get; } = new();

        public void OnAccepted(MessageDraft draft, Acceptance acceptance)
        {
        }

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why)
        {
        }
    }
}
