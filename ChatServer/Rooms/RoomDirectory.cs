using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms.Access;

namespace ChatServer.Rooms;

/// <summary>The rooms that have members on this node. A room is heard while somebody is in it.</summary>
internal sealed class RoomDirectory
{
    private readonly IBackplane _backplane;
    private readonly Replay _replay;
    private readonly RoomTracker _tracker;
    private readonly CountedSubscriptions<RoomKey, Room> _rooms;

    public RoomDirectory(IBackplane backplane, Replay replay, RoomTracker tracker, TimeProvider time)
    {
        (_backplane, _replay, _tracker) = (backplane, replay, tracker);
        _rooms = new(key => new Room(key, tracker.Track, time), OpenAsync);
        backplane.WhenRestored(() => _ = CatchUpAsync());
    }

    /// <summary>How many rooms are heard.</summary>
    public int Count => _rooms.Count;

    /// <summary>
    /// Puts a connection into a room: it gets <c>joined</c>, what it missed, then live messages, without a hole, a repetition or a change
    /// of order.
    /// </summary>
    /// <param name="since">The seq that it has seen last; null for a fresh view.</param>
    /// <param name="epoch">The numbering that <paramref name="since"/> belongs to.</param>
    /// <param name="permit">That its user may enter. It is asked again where the members change before the connection is in.</param>
    /// <returns>Null if the connection went away meanwhile, or its user may no longer enter, as the permit tells.</returns>
    /// <exception cref="RedisUnavailableException">Redis is out of reach: the connection is not in the room.</exception>
    public async ValueTask<RoomMember?> JoinAsync(Connection connection, RoomKey key, long? since, string? epoch, RoomPermit permit)
    {
        var room = await _rooms.EnterAsync(key);
        RoomMember? member = null;
        try
        {
            member = since is { } seen
                ? await _replay.JoinAsync(room, connection, seen, epoch, permit)
                : await Replay.JoinAsync(room, connection, permit);
            return member;
        }
        finally
        {
            if (member is null)
            {
                _rooms.Exit(key);
            }
        }
    }

    /// <summary>Takes a member out of its room.</summary>
    /// <param name="left">The frame that says so; null if the connection is gone.</param>
    public void Leave(RoomMember member, byte[]? left)
    {
        if (member.Room.Leave(member, left))
        {
            _rooms.Exit(member.Room.Key);
        }
    }

    /// <summary>The rooms that are heard.</summary>
    public IEnumerable<RoomKey> Keys => _rooms.All.Select(room => room.Key);

    /// <summary>Whether somebody is in a room here, or coming in.</summary>
    public bool Has(RoomKey key) => _rooms.Find(key) is not null;

    /// <summary>The local members of a room.</summary>
    public IReadOnlyList<RoomMember> MembersOf(RoomKey key) => _rooms.Find(key)?.Members ?? [];

    /// <summary>After an interruption: what was published meanwhile is in the logs.</summary>
    private async Task CatchUpAsync()
    {
        var atOnce = new ParallelOptions { MaxDegreeOfParallelism = RoomOptions.CatchUpsAtOnce };
        await Parallel.ForEachAsync(_rooms.All, atOnce, async (room, _) =>
        {
            if (room.IsStarted)
            {
                await _tracker.CatchUpPatientlyAsync(room);
            }
        });
    }

    /// <summary>Subscribe first, then read where the log stands: what is published in between waits in the room.</summary>
    private async ValueTask<IAsyncDisposable> OpenAsync(Room room)
    {
        var subscription = await _backplane.SubscribeAsync(room.Key, room);
        try
        {
            var page = await _backplane.ReadAsync(room.Key, RoomKey.MaxRoomId, 0);
            room.Start(page.Head, page.Epoch);
            return subscription;
        }
        catch
        {
            // Nobody else knows of the subscription yet.
            await subscription.DisposeAsync();
            throw;
        }
    }
}
