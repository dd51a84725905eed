using System.Globalization;
using ChatServer.Protocol;

namespace ChatServer.Redis;

/// <summary>
/// Names ChatServer's keys and channels. Rooms are spread over partitions; everything of a partition carries its hash tag, so that one
/// script may touch it on a cluster too.
/// </summary>
/// <param name="partitions">Over how many partitions rooms are spread; 0 if that is not known yet.</param>
/// <param name="database">
/// The database in Redis. Keys belong to one, channels to none: those of ChatServer's own name it, so that two installations on one Redis do
/// not hear each other.
/// </param>
internal sealed class RedisKeys(int partitions = 0, int database = 0)
{
    /// <summary>
    /// Partitions are divided into so many lanes, the unit in which nodes share the saving: keeping a lease for each partition would cost
    /// more than it brings.
    /// </summary>
    public const int Lanes = 64;

    /// <summary>
    /// The channel on which it is announced that a room has something to save after it had nothing: its partition and its name among the
    /// unsaved rooms, as in <c>17 3:870</c>.
    /// </summary>
    public string OutboxFilled { get; } = Own("chat:outbox-filled", database);

    /// <summary>What stands before what nodes publish for a user; what Quantum publishes there begins in another way.</summary>
    public string NodesMark { get; } = string.Create(CultureInfo.InvariantCulture, $"@{database} ");

    /// <summary>A sorted set: the nodes that are there, by the time of their last announcement.</summary>
    public const string Nodes = "chat:nodes";

    /// <summary>The channel on which Quantum publishes its orders.</summary>
    public const string Control = "chat:control";

    /// <summary>A string: over how many partitions the rooms are spread.</summary>
    public const string Layout = "chat:partitions";

    /// <summary>The pattern of all keys that belong to a partition.</summary>
    public const string OfPartitions = "chat:{*}:*";

    private volatile int _partitions = partitions;

    /// <summary>Whether it is known over how many partitions rooms are spread.</summary>
    public bool AreKnown => _partitions > 0;

    /// <exception cref="RedisUnavailableException">It is not known: Redis could not be asked yet.</exception>
    public int Partitions =>
        _partitions is > 0 and var known
            ? known
            : throw new RedisUnavailableException("Redis could not be asked yet over how many partitions rooms are spread.");

    /// <summary>Tells over how many partitions rooms are spread.</summary>
    public void LayOut(int over) => _partitions = over;

    public static int LaneOf(int partition) => partition % Lanes;

    /// <summary>The partitions of a lane; none if there are fewer partitions than lanes.</summary>
    public IEnumerable<int> PartitionsOf(int lane)
    {
        for (var partition = lane; partition < Partitions; partition += Lanes)
        {
            yield return partition;
        }
    }

    public int PartitionOf(RoomKey room)
    {
        // The finalizer of splitmix64: neighbouring ids land far apart. Every node must come to the same answer, so no HashCode here.
        var mixed = unchecked(((ulong)room.CompanyId * 0x9E3779B97F4A7C15) ^ (ulong)room.RoomId);
        mixed = unchecked((mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9);
        mixed = unchecked((mixed ^ (mixed >> 27)) * 0x94D049BB133111EB);
        return (int)((mixed ^ (mixed >> 31)) % (ulong)Partitions);
    }

    /// <summary>A hash: the newest <c>seq</c>, <c>epoch</c>, up to which seq Quantum has it (<c>saved</c>), and more.</summary>
    public string Room(RoomKey room) => $"chat:{{{PartitionOf(room)}}}:room:{room.CompanyId}:{room.RoomId}";

    /// <summary>A stream: the newest messages, and all that Quantum does not have yet; an entry's id is the seq of its last one.</summary>
    public string Log(RoomKey room) => $"chat:{{{PartitionOf(room)}}}:log:{room.CompanyId}:{room.RoomId}";

    /// <summary>A string that expires: the first answer to an identifier.</summary>
    public string Identifier(RoomKey room, long userId, string identifier) => Identifiers(room) + IdentifierOf(userId, identifier);

    /// <summary>What the names of a room's identifiers begin with.</summary>
    public string Identifiers(RoomKey room) => $"chat:{{{PartitionOf(room)}}}:id:{room.CompanyId}:{room.RoomId}:";

    /// <summary>What follows that.</summary>
    public static string IdentifierOf(long userId, string identifier) => $"{userId}:{identifier}";

    /// <summary>The channel of a room's messages and notices.</summary>
    public string RoomChannel(RoomKey room) => Own(Room(room), database);

    /// <summary>A stream: a room's messages that are to be saved before those of its log, because an operator retries them.</summary>
    public string Aside(RoomKey room) => $"chat:{{{PartitionOf(room)}}}:aside:{room.CompanyId}:{room.RoomId}";

    /// <summary>A sorted set: rooms with messages that Quantum does not have yet, by the time since when.</summary>
    public static string Unsaved(int partition) => $"chat:{{{partition}}}:unsaved";

    /// <summary>A room's name in it.</summary>
    public static string Member(RoomKey room) => string.Create(CultureInfo.InvariantCulture, $"{room.CompanyId}:{room.RoomId}");

    /// <returns>The room that has that name; null if none can have it.</returns>
    public static RoomKey? RoomOf(string member) =>
        member.Split(':') is [var company, var room]
        && long.TryParse(company, NumberStyles.None, CultureInfo.InvariantCulture, out var companyId)
        && long.TryParse(room, NumberStyles.None, CultureInfo.InvariantCulture, out var roomId)
            ? new RoomKey(companyId, roomId)
            : null;

    /// <summary>Where a room's state or log lies, by that key's name.</summary>
    /// <returns>Null if it is another key.</returns>
    public static (int Partition, RoomKey Room)? PlaceOf(string key) =>
        key.Split(':', 4) is ["chat", ['{', .. var tag, '}'], "room" or "log", var member]
        && int.TryParse(tag, NumberStyles.None, CultureInfo.InvariantCulture, out var partition)
        && RoomOf(member) is { } room
            ? (partition, room)
            : null;

    /// <summary>A stream that the version before this one filled: what Quantum does not have yet, oldest first.</summary>
    public static string FormerOutbox(int partition) => $"chat:{{{partition}}}:outbox";

    /// <summary>A stream: what Quantum refused for good, with reason and time.</summary>
    public static string DeadLetters(int partition) => $"chat:{{{partition}}}:dead";

    /// <summary>A string that expires: the node that saves what a lane's partitions have to save.</summary>
    public static string Lease(int lane) => $"chat:{{{lane}}}:lease";

    /// <summary>A hash that expires: a file's chunks by their number, and, once it is complete, what it is.</summary>
    public static string File(FileId id) => $"chat:{{{id.Partition}}}:file:{id.Secret}";

    /// <summary>A number that expires: the bytes of files that a user has sent in an hour, counted from 1970.</summary>
    public static string UploadQuota(long userId, long hour) => $"chat:quota:{userId}:{hour}";

    /// <summary>A sorted set that expires: the newest sessions with which a user was seen, by the time of that.</summary>
    public static string SessionsOf(long userId) => $"chat:sessions:{userId}";

    /// <summary>A string that expires: the REST token with which a user wrote last, stored as sessions are.</summary>
    public static string TokenOf(long userId) => $"chat:token:{userId}";

    /// <summary>The channel on which a node asks for a user's REST token: the user's id.</summary>
    public static string TokenWanted(int database) => Own("chat:token-wanted", database);

    /// <summary>
    /// The channel that Quantum, too, may publish on for one user. Contract: it has this name whatever the database, so nodes mark what they
    /// publish there (<see cref="NodesMark"/>).
    /// </summary>
    public static string UserChannel(long userId) => $"user_{userId}";

    private static string Own(string channel, int database) =>
        database == 0 ? channel : string.Create(CultureInfo.InvariantCulture, $"{channel}@{database}");
}
