using System.Collections.Concurrent;
using ChatServer.Protocol;

namespace ChatServer.Connections;

/// <summary>
/// All connections of this node, and those of each user, whose limit is kept here; that of the node by <see cref="Places"/>.
/// </summary>
internal sealed class ConnectionRegistry(ConnectionOptions options)
{
    private readonly ConcurrentDictionary<ulong, Connection> _all = new();
    private readonly Dictionary<long, Connection[]> _byUser = [];
    private readonly Lock _users = new();

    public int Count => _all.Count;

    public IEnumerable<Connection> All => _all.Values;

    /// <summary>The places for their sockets.</summary>
    public Places Places { get; } = new(options);

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
            connection.Place?.BecomeKnown();
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
