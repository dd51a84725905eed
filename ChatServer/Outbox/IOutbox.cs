using ChatServer.Protocol;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// What Quantum does not have yet: the end of each room's log, behind the seq up to which it is saved. The accept step makes it longer; one
/// node at a time drains a lane, so that a room's messages are saved in their order. A node that dies loses nothing.
/// </summary>
internal interface IOutbox
{
    /// <summary>How many groups of rooms there are, each of which one node at a time drains.</summary>
    /// <exception cref="RedisUnavailableException">It is not known yet: Redis is out of reach since the start.</exception>
    int Lanes { get; }

    /// <summary>Takes a lane for this node, or keeps it, for <see cref="OutboxOptions.LeaseTime"/>.</summary>
    /// <returns>False if another node has it.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<bool> TryLeaseAsync(int lane);

    /// <summary>The lanes that no node has.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IReadOnlyList<int>> FreeAsync();

    /// <summary>Lets another node have a lane at once.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the lease expires by itself.</exception>
    ValueTask ReleaseAsync(int lane);

    /// <summary>The rooms of a lane that have something to save, those that have had it for longest first.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int lane);

    /// <summary>
    /// Notes what of a room has come to its end, and tells the senders, in one atomic step: what is to be a dead letter is one then. What is
    /// noted already is not noted again, nor is what belongs to a numbering that Redis no longer has.
    /// </summary>
    /// <param name="readOn">Whether to read what comes next, up to <see cref="OutboxOptions.PageBytes"/> bytes.</param>
    /// <returns>
    /// What comes next, as far as it was asked for. A room that has nothing to save any more leaves the rooms that have.
    /// </returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the messages may be met again.</exception>
    ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn);

    /// <summary>The files of a lane's messages that wait.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    IAsyncEnumerable<FileId> WaitingFilesAsync(int lane);

    /// <summary>
    /// Takes over what the version before this one has left in a lane, message by message: rooms then have it to save before what
    /// their logs hold.
    /// </summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the rest stays where it is.</exception>
    ValueTask TakeOverFormerAsync(int lane);

    /// <summary>Announces this node and counts the nodes that are there.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<int> CountNodesAsync();

    /// <summary>This node no longer drains: the others can take over its share at once, before its name expires.</summary>
    /// <exception cref="RedisUnavailableException">
    /// Redis is out of reach; the name expires by itself after <see cref="OutboxOptions.LeaseTime"/>.
    /// </exception>
    ValueTask SignOffAsync();

    /// <summary>How much waits, over all lanes.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<OutboxSize> SizeAsync();

    /// <summary>
    /// Calls back with a room, and its lane, when it had nothing to save and now has. A call may be lost: also look now and then.
    /// </summary>
    /// <param name="restored">Called after an interruption: calls may have been lost.</param>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IAsyncDisposable> ListenAsync(Action<int, RoomKey> filled, Action restored);
}

/// <summary>What waits, of all rooms.</summary>
/// <param name="Waiting">Messages that Quantum does not have yet.</param>
/// <param name="Dead">Dead letters.</param>
/// <param name="StuckSince">
/// Since when the room that waits longest has had something to save without any of it being saved; null if no room has something.
/// </param>
internal readonly record struct OutboxSize(long Waiting, long Dead, DateTimeOffset? StuckSince);
