using System.Text;
using ChatServer.Protocol;
using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>The names of what a room has in Redis, made once for its many messages.</summary>
internal sealed class RoomNames(RedisKeys keys, RoomKey room)
{
    private readonly RedisKey _identifiers = Encoding.ASCII.GetBytes(keys.Identifiers(room));

    public RedisKey Room { get; } = Encoding.ASCII.GetBytes(keys.Room(room));

    public RedisKey Log { get; } = Encoding.ASCII.GetBytes(keys.Log(room));

    public RedisKey Unsaved { get; } = Encoding.ASCII.GetBytes(RedisKeys.Unsaved(keys.PartitionOf(room)));

    /// <summary>The room's name among the partition's rooms with unsaved messages.</summary>
    public RedisValue Member { get; } = Encoding.ASCII.GetBytes(RedisKeys.Member(room));

    public RedisValue Channel { get; } = Encoding.ASCII.GetBytes(keys.RoomChannel(room));

    /// <summary>The channel for "something to save".</summary>
    public RedisValue OutboxFilled { get; } = keys.OutboxFilled;

    public RedisKey Identifier(long userId, string identifier) => _identifiers.Append(RedisKeys.IdentifierOf(userId, identifier));
}
