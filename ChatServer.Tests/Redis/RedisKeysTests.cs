using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Tests.Redis;

public sealed class RedisKeysTests
{
    private readonly RedisKeys _keys = new(RedisOptions.DefaultPartitions);

    /// <summary>Every node of every version must agree: a change here would split rooms.</summary>
    [Theory]
    [InlineData(1, 1, 32)]
    [InlineData(3, 12, 40)]
    [InlineData(3, 13, 35)]
    [InlineData(4, 12, 30)]
    [InlineData(9007199254740991, 9007199254740991, 53)]
    public void PartitionOf_IsTheSameForGood(long company, long room, int partition)
    {
        new RedisKeys(RedisOptions.FormerDefaultPartitions).PartitionOf(new(company, room)).Should().Be(partition);
        RedisKeys.LaneOf(_keys.PartitionOf(new(company, room))).Should().Be(partition, "64 divides 1,024");
    }

    [Fact]
    public void PartitionOf_NeighbouringIds_AreSpreadEvenly()
    {
        var counts = new int[1024];
        for (var company = 1; company <= 320; company++)
        {
            for (var room = 1; room <= 1000; room++)
            {
                counts[_keys.PartitionOf(new RoomKey(company, room))]++;
            }
        }

        counts.Should().AllSatisfy(count => count.Should().BeInRange(220, 410, "320,000 rooms over 1,024 partitions are 312 each"));
        Enumerable.Range(1, 1000).Should().AllSatisfy(room => new RedisKeys(1).PartitionOf(new RoomKey(3, room)).Should().Be(0));
    }

    [Theory]
    [InlineData(1024)]
    [InlineData(64)]
    [InlineData(100)]
    [InlineData(1)]
    public void PartitionsOf_AllLanes_HaveEachPartitionOnce(int partitions)
    {
        var keys = new RedisKeys(partitions);

        var all = Enumerable.Range(0, RedisKeys.Lanes).SelectMany(
            lane => keys.PartitionsOf(lane).Select(partition => (lane, partition))).ToList();

        all.Select(each => each.partition).Should().BeEquivalentTo(Enumerable.Range(0, partitions));
        all.Should().OnlyContain(each => RedisKeys.LaneOf(each.partition) == each.lane);
    }

    [Fact]
    public void Partitions_NotKnownYet_IsNoGuess()
    {
        var keys = new RedisKeys();
        keys.Invoking(unknown => unknown.RoomChannel(new(3, 12))).Should().Throw<RedisUnavailableException>();

        keys.LayOut(64);

        (keys.AreKnown, keys.Partitions).Should().Be((true, 64));
    }

    [Fact]
    public void PlaceOf_StateAndLogOfARoom_AreFoundAndNothingElse()
    {
        var room = new RoomKey(3, 12);
        var partition = _keys.PartitionOf(room);

        RedisKeys.PlaceOf(_keys.Room(room)).Should().Be((partition, room));
        RedisKeys.PlaceOf(_keys.Log(room)).Should().Be((partition, room));
        string[] others =
        [
            _keys.Identifier(room, 7, "a"), RedisKeys.Unsaved(partition), RedisKeys.DeadLetters(partition), "chat:{x}:room:3:12",
            "chat:{1}:room:3", "chat:{1}:room:3:12:13", "abc_3_7", "",
        ];
        others.Should().OnlyContain(name => RedisKeys.PlaceOf(name) == null);
    }

    [Fact]
    public void Names_OfARoom_CarryItsPartition()
    {
        var room = new RoomKey(3, 12);
        var tag = $"chat:{{{_keys.PartitionOf(room)}}}:";

        string[] names =
        [
            _keys.Room(room), _keys.Log(room), _keys.Identifier(room, 7, "a}{"), _keys.Aside(room),
            RedisKeys.Unsaved(_keys.PartitionOf(room)), RedisKeys.DeadLetters(_keys.PartitionOf(room)),
        ];
        names.Should().OnlyHaveUniqueItems().And.OnlyContain(name => name.StartsWith(tag, StringComparison.Ordinal));
        _keys.RoomChannel(room).Should().StartWith(tag);
        RedisKeys.UserChannel(7).Should().Be("user_7");
    }

    [Fact]
    public void Identifier_OfDifferentMessages_IsDifferent()
    {
        var room = new RoomKey(3, 12);

        ((string[])[_keys.Identifier(room, 7, "1:a"), _keys.Identifier(
            room, 71, "a"), _keys.Identifier(new RoomKey(3, 127), 1, "a"), _keys.Identifier(room, 7, "1:A")])
            .Should().OnlyHaveUniqueItems();
    }
}
