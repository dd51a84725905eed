using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Sessions;

namespace ChatServer.Users;

/// <summary>
/// Closes connections whose session has ended: at once if the store announces it, at the known expiry, and at the latest when all
/// sessions are looked up again, many at a time. While the store is out of reach none is closed: it is unknown which have ended.
/// </summary>
internal sealed partial class SessionWatch : BackgroundService
{
    private readonly ISessionStore _store;
    private readonly ConnectionRegistry _connections;
    private readonly SessionOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger<SessionWatch> _logger;
    private readonly CountedSubscriptions<SessionKey, SessionKey> _watched;
    private readonly EndedSessions _ended;

    /// <summary>Those that will be watched when the store begins to tell: until then a watch would only be a cost.</summary>
    private readonly CountedKeys<SessionKey> _unwatched = new();

    public SessionWatch(
        ISessionStore store, ConnectionRegistry connections, SessionOptions options, TimeProvider time, ILogger<SessionWatch> logger)
    {
        (_store, _connections, _options, _time, _logger) = (store, connections, options, time, logger);
        _watched = new(key => key, key => store.WatchAsync(key, () => _ = CheckAsync(key)));
        _ended = new(time);
    }

    /// <summary>
    /// Begins to watch over a connection's session. The session is looked up once more: it may have ended between its first look-up and
    /// now.
    /// </summary>
    /// <returns>
    /// False if the store never announces anything: the session is only looked up again with all the others, or if Quantum says that it has
    /// ended.
    /// </returns>
    public async Task<bool> EnterAsync(SessionKey key)
    {
        var isTold = _store.IsTellingOfEnds;
        if (isTold)
        {
            await _watched.EnterAsync(key);
        }
        else if (_store.TellsOfEnds)
        {
            _unwatched.Add(key);
        }

        if (isTold || _ended.Contains(key))
        {
            await CheckAsync(key);
        }

        return _store.TellsOfEnds;
    }

    public void Leave(SessionKey key)
    {
        // Which of a session's connections were there before its store began to tell plays no role: the sum is right.
        if (!_unwatched.TryRemove(key))
        {
            _watched.Exit(key);
        }
    }

    /// <summary>Quantum says that a session has ended.</summary>
    public void End(SessionKey key)
    {
        _ended.Add(key);
        Close(key);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(SessionOptions.CheckInterval, _time);
        var allAt = _time.GetTimestamp();
        while (await timer.WaitForNextTickAsync(stoppingToken))
        {
            if (_store.IsTellingOfEnds)
            {
                await WatchAsync();
            }

            var all = _time.GetElapsedTime(allAt) >= _options.Recheck;
            var now = _time.GetUtcNow();
            var due = _connections.All
                .Where(connection => connection.Caller is not null && !connection.IsClosing && (all || connection.SessionEndsAt <= now))
                .Select(connection => connection.Caller!.Session)
                .Distinct();
            foreach (var some in due.Chunk(SessionOptions.LookUpsAtOnce))
            {
                await CheckAsync(some);
            }

            allAt = all ? _time.GetTimestamp() : allAt;
        }
    }

    private async Task WatchAsync()
    {
        foreach (var some in _unwatched.All.Chunk(SessionOptions.LookUpsAtOnce))
        {
            await Task.WhenAll(some.Select(WatchAsync));
        }
    }

    private async Task WatchAsync(SessionKey key)
    {
        try
        {
            await _watched.EnterAsync(key);
            if (!_unwatched.TryRemove(key))
            {
                // It has left meanwhile.
                _watched.Exit(key);
            }
        }
        catch (RedisUnavailableException exception)
        {
            // The next round.
            Log.NotChecked(_logger, exception, 1);
        }
        catch (Exception exception)
        {
            // A bug of ours must be seen, and must not end the watch: that would end the node.
            Log.Failed(_logger, exception, 1);
        }
    }

    private async Task CheckAsync(params SessionKey[] keys)
    {
        try
        {
            var lives = await _store.LookAsync(keys);
            for (var index = 0; index < keys.Length; index++)
            {
                if (lives[index].IsAlive)
                {
                    Extend(keys[index], lives[index].Left);
                }
                else
                {
                    Close(keys[index]);
                }
            }
        }
        catch (RedisUnavailableException exception)
        {
            Log.NotChecked(_logger, exception, keys.Length);
        }
        catch (Exception exception)
        {
            // A bug of ours must be seen, and must not end the watch: that would end the node.
            Log.Failed(_logger, exception, keys.Length);
        }
    }

    private void Close(SessionKey key)
    {
        foreach (var connection in _connections.OfUser(key.UserId))
        {
            if (connection.Caller!.Session == key)
            {
                connection.Close(CloseReason.SessionEnded);
            }
        }
    }

    private void Extend(SessionKey key, TimeSpan? left)
    {
        foreach (var connection in _connections.OfUser(key.UserId))
        {
            if (connection.Caller!.Session == key)
            {
                connection.SessionEndsAt = _time.GetUtcNow() + left;
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1020, LogLevel.Debug, "{Count} sessions cannot be looked up now; their connections stay until they can.")]
        public static partial void NotChecked(ILogger logger, Exception exception, int count);

        [LoggerMessage(1021, LogLevel.Error,
            "Unexpected error while {Count} sessions were looked up; their connections stay, and they are looked up again.")]
        public static partial void Failed(ILogger logger, Exception exception, int count);
    }
}
