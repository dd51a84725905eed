using ChatServer.Connections;
using ChatServer.Files;
using ChatServer.Rooms;
using ChatServer.Sessions;
using ChatServer.Users;

namespace ChatServer.Requests;

/// <summary>
/// What the receiving side holds for one connection, and releases at its end. Only the connection's loop uses it, except
/// <see cref="Accepting"/>; while it is entering rooms, whoever has the turn of <see cref="Lines"/>.
/// </summary>
internal sealed class Client(
    Connection connection, ConnectionRegistry connections, RoomDirectory rooms, UserChannels users, SessionWatch sessions,
    RequestOptions options, TimeProvider time) : IAsyncDisposable, IConnectionWork
{
    private SemaphoreSlim? _accepting;
    private SemaphoreSlim? _turn;
    private bool _hearsUser;
    private Task<bool>? _watch;

    public Connection Connection => connection;

    /// <summary>The rooms that it is in, by room id.</summary>
    public Dictionary<long, RoomMember> Rooms { get; } = [];

    /// <summary>The rooms that it is entering, and what waits for that; null if it has sent no join yet.</summary>
    public RoomLines? Lines { get; private set; }

    /// <summary>How many rooms it may enter, but is not in yet.</summary>
    public int Entering { get; set; }

    /// <summary>Whether all has been given back: whoever comes in now has to leave again.</summary>
    public bool HasEnded { get; private set; }

    /// <summary>The file that it is sending; one that has ended may stand here until its bytes stop coming.</summary>
    public PendingUpload? PendingUpload { get; set; }

    /// <summary>
    /// Whether binary frames are ignored silently: an error has said why they are refused, and more may be under way.
    /// </summary>
    public bool DropsBinary { get; set; }

    /// <summary>Whether its session is remembered for what it writes, or is being remembered.</summary>
    public bool IsRemembered { get; set; }

    public RateLimiter Rate { get; } = new(options, time);

    /// <summary>Whether it is no longer known where its frames begin.</summary>
    public bool IsBroken { get; set; }

    /// <summary>Limits the messages under way; created only for clients that send.</summary>
    public SemaphoreSlim Accepting => _accepting ??= new(RequestOptions.MaxAccepting);

    bool IConnectionWork.IsUnderWay => PendingUpload is { Upload.IsOver: false } || Lines is { Count: > 0 };

    bool IConnectionWork.OwesAnswer => _accepting is { } accepting && accepting.CurrentCount < RequestOptions.MaxAccepting;

    /// <summary>The lines of rooms, for its first join as well.</summary>
    public RoomLines LinesForJoin() =>
        Lines ??= new(_turn ??= new(1, 1), Math.Max(RequestOptions.MaxWaitingBytes, options.MaxMessageBytes));

    /// <summary>The membership of a room; null if it is not in it, or was removed.</summary>
    public RoomMember? MemberOf(long roomId)
    {
        if (Rooms.TryGetValue(roomId, out var member) && member.HasLeft)
        {
            Rooms.Remove(roomId);
            member = null;
        }

        return member;
    }

    /// <summary>From now on it gets what is meant for its user.</summary>
    /// <exception cref="Redis.RedisUnavailableException">Redis is out of reach.</exception>
    public async ValueTask HearUserAsync(long userId)
    {
        await users.EnterAsync(userId);
        _hearsUser = true;
    }

    /// <summary>From now on its session is watched.</summary>
    /// <returns>
    /// Fails with <see cref="Redis.RedisUnavailableException"/> if the session's end will be noticed at the next regular check only.
    /// </returns>
    public Task WatchSessionAsync(SessionKey session) => _watch = sessions.EnterAsync(session);

    /// <summary>Releases all that it holds; its rooms first, so that nothing more is sent to it.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Lines is { Count: > 0 } lines)
        {
            // Joins that are under way are not waited for.
            await lines.TakeTurnAsync();
            try
            {
                await EndAsync();
            }
            finally
            {
                lines.EndTurn();
            }
        }
        else
        {
            await EndAsync();
        }

        if (_hearsUser)
        {
            users.Leave(connection.Caller!.UserId);
        }

        if (_watch is not null && await IsWatchedAsync(_watch))
        {
            sessions.Leave(connection.Caller!.Session);
        }
    }

    private async ValueTask EndAsync()
    {
        HasEnded = true;
        foreach (var member in Rooms.Values)
        {
            rooms.Leave(member, null);
        }

        connections.Remove(connection);
        if (PendingUpload is { } pending)
        {
            await pending.Upload.EndAsync(UploadFailure.Cut);
        }
    }

    private static async Task<bool> IsWatchedAsync(Task<bool> watch)
    {
        try
        {
            return await watch;
        }
        catch (Redis.RedisUnavailableException)
        {
            // There is nothing to leave.
            return false;
        }
    }
}
