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
        var permit = access.PermitFor(client.Connection.Caller!, request.RoomId);
        await permit.AskAsync();
        await JoinAsync(client, request, permit);
    }

    /// <summary>Joins a room for which has been asked.</summary>
    public async ValueTask JoinAsync(Client client, RoomRequest request, RoomPermit permit)
    {
        var connection = client.Connection;
        if (permit.Answer != RoomAnswer.Granted)
        {
            Refuse(connection, request.RoomId, permit.Answer);
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
            if (await rooms.JoinAsync(connection, key, request.Since, request.Epoch, permit) is { } member)
            {
                client.Rooms[request.RoomId] = member;
            }
            else if (permit.Answer != RoomAnswer.Granted)
            {
                TakeBack(connection, request.RoomId, permit);
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

    /// <summary>The members have changed while somebody was coming in, who may have been told already that the room is joined.</summary>
    private static void TakeBack(Connection connection, long roomId, RoomPermit permit)
    {
        if (permit is { IsAnnounced: true, Answer: RoomAnswer.Forbidden })
        {
            connection.Send(RoomFrames.Removed(roomId));
            return;
        }

        if (permit.IsAnnounced)
        {
            connection.Send(RoomFrames.Left(roomId));
        }

        Refuse(connection, roomId, permit.Answer);
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
