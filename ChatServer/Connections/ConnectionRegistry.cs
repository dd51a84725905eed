using System.Collections.Concurrent;
using ChatServer.Protocol;

namespace ChatServer.Connections;

/// <summary>
/// All connections of this node, and those of each user. It counts them too: the limits of a node and of a user are kept here.
/// </summary>
internal sealed class ConnectionRegistry(ConnectionOptions options)
{
    private readonly ConcurrentDictionary<ulong, Connection> _all = new();
    private readonly Dictionary<long, Connection[]> _byUser = [];
    private readonly Lock _users = new();
    private int _places;

    public int Count => _all.Count;

    public IEnumerable<Connection> All => _all.Values;

    /// <summary>Takes one of the node's <c>MAX_CONNECTIONS</c> places, before the upgrade; <see cref="GiveBackPlace"/> frees it.</summary>
    public bool TryTakePlace()
    {
        if (Interlocked.Increment(ref _places) <= options.MaxConnections)
        {
            return true;
        }

        Interlocked.Decrement(ref _places);
        return false;
    }

    public void GiveBackPlace() => Interlocked.Decrement(ref _places);

    public void Add(Connection connection) => _all[connection.Id] = connection;

    /// <summary>Counts an authenticated connection for its user.</summary>
    /// <returns>False if the user has <c>MAX_CONNECTIONS_PER_USER</c> already; it is not counted then.</returns>
    public bool TryAddToUser(Connection connection)
    {
        var user = connection.Caller!.UserId;
        lock (_users)
        {
            var had = _byUser.GetValueOrDefault(user, []);
            if (had.Length >= options.MaxConnectionsPerUser)
            {
                return false;
            }

            // Copied, never changed in place: OfUser hands the array out.
            _byUser[user] = [.. had, connection];
            return true;
        }
    }

    public void Remove(Connection connection)
    {
        _all.TryRemove(connection.Id, out _);
        if (connection.Caller is not { UserId: var user })
        {
            return;
        }

        lock (_users)
        {
            var rest = _byUser.GetValueOrDefault(user, []).Where(other => other != connection).ToArray();
            if (rest.Length > 0)
            {
                _byUser[user] = rest;
            }
            else
            {
                _byUser.Remove(user);
            }
        }
    }

    public IReadOnlyList<Connection> OfUser(long userId)
    {
        lock (_users)
        {
            return _byUser.GetValueOrDefault(userId, []);
        }
    }

    public void CloseAll(CloseReason reason)
    {
        foreach (var connection in All)
        {
            connection.Close(reason);
        }
    }
}
