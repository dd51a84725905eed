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
    public void PartitionOf_IsTheSameForGood(long company, long room, int partition) =>
        _keys.PartitionOf(new RoomKey(company, room)).Should().Be(partition);

    [Fact]
    public void PartitionOf_NeighbouringIds_AreSpreadEvenly()
    {
        var counts = new int[64];
        for (var company = 1; company <= 20; company++)
        {
            for (var room = 1; room <= 1000; room++)
            {
                counts[_keys.PartitionOf(new RoomKey(company, room))]++;
            }
        }

        counts.Should().AllSatisfy(count => count.Should().BeInRange(220, 410, "20,000 rooms over 64 partitions are 312 each"));
        Enumerable.Range(1, 1000).Should().AllSatisfy(room => new RedisKeys(1).PartitionOf(new RoomKey(3, room)).Should().Be(0));
    }

    [Fact]
    public void Names_OfARoom_CarryItsPartition()
    {
        var room = new RoomKey(3, 12);
        var tag = $"chat:{{{_keys.PartitionOf(room)}}}:";

        string[] names =
        [
            _keys.Room(room), _keys.Log(room), _keys.Identifier(
                room, 7, "a}{"), RedisKeys.Unsaved(_keys.PartitionOf(room)), _keys.Aside(room), RedisKeys.Lease(_keys.PartitionOf(room)),
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
