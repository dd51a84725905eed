using System.Text.Json;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;

namespace ChatServer.Requests;

/// <summary>Handles the first frame: authenticates the caller and joins their rooms, or closes the connection.</summary>
internal sealed partial class Admission(
    Authenticator authenticator, ConnectionRegistry connections, RoomAccess access, RoomOptions roomOptions,
    RoomRequests roomRequests, ConnectionOptions connectionOptions, TimeProvider time, ILogger<Admission> logger)
{
    /// <returns>False if the connection is being closed.</returns>
    public async ValueTask<bool> AdmitAsync(Client client, byte[] text)
    {
        var connection = client.Connection;
        if (FirstFrame.Read(text, out var problem) is not { } first)
        {
            Replies.AuthFailed(connection, CloseReason.BadFirstFrame, problem!);
            return false;
        }

        try
        {
            // Not cancelled when the peer goes: the time that it takes must tell nothing about a session.
            if (await authenticator.AuthenticateAsync(first.Token, CancellationToken.None) is not { } caller)
            {
                Replies.AuthFailed(connection, CloseReason.InvalidToken, "The token is not that of a session.");
                return false;
            }

            connection.Authenticated(caller);
            if (!connections.TryAddToUser(connection))
            {
                Replies.AuthFailed(
                    connection, CloseReason.TooManyConnections, $"A user may have {connectionOptions.MaxConnectionsPerUser} connections.");
                return false;
            }

            await client.HearUserAsync(caller.UserId);
            _ = WatchAsync(client, caller.Session);
            await WelcomeAsync(client, caller, first.Rooms);
            return true;
        }
        catch (RedisUnavailableException exception)
        {
            Log.Unavailable(logger, exception, connection.IdText);
            Replies.AuthFailed(connection, CloseReason.Unavailable, "The session can't be checked now.");
            return false;
        }
    }

    /// <summary>Not awaited: a session that can't be watched is still looked up now and then.</summary>
    private async Task WatchAsync(Client client, SessionKey session)
    {
        try
        {
            await client.WatchSessionAsync(session);
        }
        catch (RedisUnavailableException exception)
        {
            Log.NotWatched(logger, exception);
        }
    }

    private async ValueTask WelcomeAsync(Client client, Caller caller, IReadOnlyList<RoomRequest> asked)
    {
        var requests = Merge(asked, caller.RoomIds);
        var permits = requests.Select(request => access.PermitFor(caller, request.RoomId)).ToArray();
        await Task.WhenAll(permits.Select(permit => permit.AskAsync().AsTask()));
        var granted = requests.Where((_, index) => permits[index].Answer == RoomAnswer.Granted)
            .Take(roomOptions.MaxRoomsPerConnection).ToArray();
        client.Connection.HoldWelcome(JsonSerializer.SerializeToUtf8Bytes(
            new AuthenticatedFrame(
                "auth", true, caller.UserId, caller.CompanyId, client.Connection.IdText, SecondsLeft(caller),
                [.. granted.Select(request => request.RoomId)], (int)connectionOptions.PingInterval.TotalSeconds),
            ProtocolJson.Default.AuthenticatedFrame));

        for (var index = 0; index < requests.Count; index++)
        {
            await roomRequests.JoinAsync(client, requests[index], permits[index]);
        }

        if (client.Rooms.Count == 0)
        {
            // No joined frame follows.
            client.Connection.SendWelcome();
        }
    }

    /// <summary>The rooms that the client asks for, in its order, then those of its session.</summary>
    private static List<RoomRequest> Merge(IReadOnlyList<RoomRequest> asked, IReadOnlyList<long>? own)
    {
        var all = asked.ToList();
        var named = asked.Select(request => request.RoomId).ToHashSet();
        all.AddRange((own ?? []).Where(named.Add).Select(room => new RoomRequest(room, null, null)));
        return all;
    }

    private long? SecondsLeft(Caller caller) =>
        caller.ExpiresAt is { } end ? Math.Max(0, (long)(end - time.GetUtcNow()).TotalSeconds) : null;

    private static partial class Log
    {
        [LoggerMessage(1210, LogLevel.Warning, "Connection {Connection} cannot be let in: Redis is out of reach.")]
        public static partial void Unavailable(ILogger logger, Exception exception, string connection);

        [LoggerMessage(1211, LogLevel.Debug, "A session's end will be noticed at the next regular check only.")]
        public static partial void NotWatched(ILogger logger, Exception exception);
    }
}
