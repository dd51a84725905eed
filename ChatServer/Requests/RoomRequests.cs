using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Requests;

/// <summary>Handles a frame that has waited until its room was entered.</summary>
/// <param name="join">Where the frame is a join: what it asks for, which is then up to the caller.</param>
internal delegate ValueTask WaitingFrameHandler(Client client, byte[] text, out RoomRequest? join);

/// <summary>Puts clients into rooms and out of them, as far as they may.</summary>
internal sealed partial class RoomRequests(
    RoomDirectory rooms, RoomAccess access, RoomOptions options, ILogger<RoomRequests> logger)
{
    /// <summary>
    /// Begins to let a client in; what it sends for that room meanwhile has to wait in its line. Quantum may take its time: the client's
    /// other frames go on.
    /// </summary>
    /// <param name="handle">Handles a frame that has waited, in the client's turn.</param>
    public void Join(Client client, RoomRequest request, WaitingFrameHandler handle)
    {
        var lines = client.LinesForJoin();
        if (lines.Count >= RequestOptions.MaxEntering)
        {
            Replies.Error(
                client.Connection, ErrorCode.Unavailable, "Too many rooms are being entered; send again later.", request.RoomId);
            return;
        }

        lines.Open(request.RoomId);
        _ = WorkAsync(client, lines, request, handle);
    }

    /// <summary>Joins a room for which has been asked, as the client's loop.</summary>
    public async ValueTask JoinAsync(Client client, RoomRequest request, RoomPermit permit)
    {
        if (MayBegin(client, request, permit))
        {
            Finish(client, request, permit, await EnterAsync(client.Connection, request, permit));
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

    /// <summary>One room's line, from a join until nothing waits in it.</summary>
    private async Task WorkAsync(Client client, RoomLines lines, RoomRequest request, WaitingFrameHandler handle)
    {
        var roomId = request.RoomId;
        try
        {
            for (RoomRequest? next = request; next is not null; next = await HandleWaitingAsync(client, lines, roomId, handle))
            {
                await JoinInTurnsAsync(client, lines, next);
            }
        }
        catch (Exception exception)
        {
            // A bug of ours must be seen, and must end this connection alone.
            Log.Failed(logger, exception, client.Connection.IdText, roomId);
            client.Connection.Close(CloseReason.InternalError);
        }
        finally
        {
            lines.End();
        }
    }

    private async Task JoinInTurnsAsync(Client client, RoomLines lines, RoomRequest request)
    {
        var permit = access.PermitFor(client.Connection.Caller!, request.RoomId);
        await permit.AskAsync();
        if (!await InTurnAsync(lines, () => !client.HasEnded && MayBegin(client, request, permit)))
        {
            return;
        }

        var entrance = await EnterAsync(client.Connection, request, permit);
        await InTurnAsync(lines, () => Finish(client, request, permit, entrance));
    }

    /// <returns>The next join that has waited; null if nothing waits any more, and the line is closed.</returns>
    private static async Task<RoomRequest?> HandleWaitingAsync(Client client, RoomLines lines, long roomId, WaitingFrameHandler handle)
    {
        await lines.TakeTurnAsync();
        try
        {
            while (!client.HasEnded && !client.Connection.IsClosing && lines.TryTake(roomId, out var frame))
            {
                await handle(client, frame, out var join);
                if (join is not null)
                {
                    return join;
                }
            }

            lines.Close(roomId);
            return null;
        }
        finally
        {
            lines.EndTurn();
        }
    }

    private static async Task<bool> InTurnAsync(RoomLines lines, Func<bool> step)
    {
        await lines.TakeTurnAsync();
        try
        {
            return step();
        }
        finally
        {
            lines.EndTurn();
        }
    }

    /// <returns>Whether the client may enter; else it has its answer.</returns>
    private bool MayBegin(Client client, RoomRequest request, RoomPermit permit)
    {
        var connection = client.Connection;
        if (permit.Answer != RoomAnswer.Granted)
        {
            Refuse(connection, request.RoomId, permit.Answer);
            return false;
        }

        if (client.MemberOf(request.RoomId) is { } already)
        {
            already.Room.JoinAgain(already);
            return false;
        }

        if (client.Rooms.Count + client.Entering >= options.MaxRoomsPerConnection)
        {
            Replies.Error(
                connection, ErrorCode.Forbidden, $"A connection may be in {options.MaxRoomsPerConnection} rooms.", request.RoomId);
            return false;
        }

        client.Entering++;
        return true;
    }

    /// <returns>The membership, if it has come to that, and whether Redis was out of reach.</returns>
    private async ValueTask<(RoomMember? Member, bool IsUnavailable)> EnterAsync(
        Connection connection, RoomRequest request, RoomPermit permit)
    {
        try
        {
            var key = new RoomKey(connection.Caller!.CompanyId, request.RoomId);
            return (await rooms.JoinAsync(connection, key, request.Since, request.Epoch, permit), false);
        }
        catch (RedisUnavailableException)
        {
            return (null, true);
        }
    }

    private bool Finish(Client client, RoomRequest request, RoomPermit permit, (RoomMember? Member, bool IsUnavailable) entrance)
    {
        client.Entering--;
        if (entrance.Member is { } left && client.HasEnded)
        {
            rooms.Leave(left, null);
        }
        else if (entrance.Member is { } member)
        {
            client.Rooms[request.RoomId] = member;
        }
        else if (entrance.IsUnavailable)
        {
            Replies.Error(client.Connection, ErrorCode.Unavailable, "The room can't be entered now; try again.", request.RoomId);
        }
        else if (permit.Answer != RoomAnswer.Granted)
        {
            TakeBack(client.Connection, request.RoomId, permit);
        }

        return entrance.Member is not null;
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

    private static partial class Log
    {
        [LoggerMessage(1230, LogLevel.Error,
            "Connection {Connection} ended because of an unexpected error while it was entering room {RoomId}.")]
        public static partial void Failed(ILogger logger, Exception exception, string connection, long roomId);
    }
}
