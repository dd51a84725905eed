using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// What Quantum does not have yet. The accept step fills it; one node at a time drains a partition, so that a room's messages are saved in
/// their order. An entry stays until it is removed: a node that dies loses nothing.
/// </summary>
internal interface IOutbox
{
    int Partitions { get; }

    /// <summary>Takes a partition for this node, or keeps it, for <see cref="OutboxOptions.LeaseTime"/>.</summary>
    /// <returns>False if another node has it.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<bool> TryLeaseAsync(int partition);

    /// <summary>Lets another node have a partition at once.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the lease expires by itself.</exception>
    ValueTask ReleaseAsync(int partition);

    /// <summary>Reads entries in the order of their acceptance.</summary>
    /// <param name="after">The id of the last one read; empty to begin with the oldest.</param>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IReadOnlyList<OutboxEntry>> ReadAsync(int partition, string after, int count);

    /// <summary>Quantum has it, or has refused it for good.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the entry will be met again.</exception>
    ValueTask RemoveAsync(int partition, string entryId);

    /// <summary>
    /// Quantum will never have it: the entry becomes a dead letter, which an operator may look at, retry or drop. One atomic step.
    /// </summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach; the entry will be met again.</exception>
    ValueTask MoveToDeadLettersAsync(int partition, OutboxEntry entry, string reason);

    /// <summary>Announces this node and counts the nodes that are there.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<int> CountNodesAsync();

    /// <summary>This node no longer drains: the others can take over its share at once, before its name expires.</summary>
    /// <exception cref="RedisUnavailableException">
    /// Redis is out of reach; the name expires by itself after <see cref="OutboxOptions.LeaseTime"/>.
    /// </exception>
    ValueTask SignOffAsync();

    /// <summary>How much waits, over all partitions.</summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<OutboxSize> SizeAsync();

    /// <summary>
    /// Calls back with the number of a partition when its outbox was empty and no longer is. A call may be lost: also look now and then.
    /// </summary>
    /// <exception cref="RedisUnavailableException">Redis is out of reach.</exception>
    ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled);
}

/// <summary>What is in the outbox of all rooms.</summary>
/// <param name="Waiting">Messages that Quantum does not have yet.</param>
/// <param name="Dead">Dead letters.</param>
internal readonly record struct OutboxSize(long Waiting, long Dead);

/// <summary>One message that Quantum does not have yet.</summary>
/// <param name="Id">Its place in the partition.</param>
/// <param name="Message">Its JSON as members got it.</param>
/// <param name="TokenKey">The REST token of its sender.</param>
internal sealed record OutboxEntry(string Id, ReadOnlyMemory<byte> Message, string TokenKey);
