using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Requests;

/// <summary>Puts clients into rooms and out of them, as far as they may.</summary>
internal sealed class RoomRequests(RoomDirectory rooms, RoomAccess access, RoomOptions options)
{
    public async ValueTask JoinAsync(Client client, RoomRequest request)
    {
        var changes = access.Changes;
        await JoinAsync(client, request, await access.CheckAsync(client.Connection.Caller!, request.RoomId), changes);
    }

    /// <summary>Joins a room for which the answer is known.</summary>
    /// <param name="changes"><see cref="RoomAccess.Changes"/> before that answer was asked for.</param>
    public async ValueTask JoinAsync(Client client, RoomRequest request, RoomAnswer answer, int changes)
    {
        var connection = client.Connection;
        if (answer != RoomAnswer.Granted)
        {
            Refuse(connection, request.RoomId, answer);
            return;
        }

        if (client.MemberOf(request.RoomId) is { } already)
        {
            already.Room.JoinAgain(already);
            return;
        }

        if (client.Rooms.Count >= options.MaxRoomsPerConnection)
        {
            Replies.Error(
                connection, ErrorCode.Forbidden, $"A connection may be in {options.MaxRoomsPerConnection} rooms.", request.RoomId);
            return;
        }

        try
        {
            var key = new RoomKey(connection.Caller!.CompanyId, request.RoomId);
            if (await rooms.JoinAsync(connection, key, request.Since, request.Epoch) is { } member)
            {
                client.Rooms[request.RoomId] = member;
                if (access.Changes != changes)
                {
                    await PutOutAsync(member);
                }
            }
        }
        catch (RedisUnavailableException)
        {
            Replies.Error(connection, ErrorCode.Unavailable, "The room can't be entered now; try again.", request.RoomId);
        }
    }

    public void Leave(Client client, long roomId)
    {
        if (client.MemberOf(roomId) is { } member)
        {
            client.Rooms.Remove(roomId);
            rooms.Leave(member, RoomFrames.Left(roomId));
        }
        else
        {
            Replies.Error(client.Connection, ErrorCode.NotInRoom, "You are not in this room.", roomId);
        }
    }

    /// <summary>Puts out who is no longer a member, but was not in yet when those who were had to leave.</summary>
    private async ValueTask PutOutAsync(RoomMember member)
    {
        var roomId = member.Room.Key.RoomId;
        if (await access.CheckAsync(member.Connection.Caller!, roomId) == RoomAnswer.Forbidden)
        {
            rooms.Leave(member, RoomFrames.Removed(roomId));
        }
    }

    private static void Refuse(Connection connection, long roomId, RoomAnswer answer)
    {
        if (answer == RoomAnswer.Forbidden)
        {
            Replies.Error(connection, ErrorCode.Forbidden, "You may not enter this room.", roomId);
        }
        else
        {
            Replies.Error(
                connection, ErrorCode.Unavailable, "Quantum, which knows the room's members, is out of reach; try again.", roomId);
        }
    }
}
