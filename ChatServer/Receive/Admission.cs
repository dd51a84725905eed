using System.Text.Json;
using ChatServer.Authenticate;
using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Receive;

/// <summary>Handles the first frame: from a token to a caller who is in his rooms, or to a close.</summary>
internal sealed partial class Admission(
    Authenticator authenticator, ConnectionRegistry connections, UserChannels users, RoomAccess access, RoomOptions roomOptions,
    RoomEntrance entrance, SessionWatch sessions, DeliverOptions delivery, TimeProvider time, ILogger<RoomAnswer> logger)
{
    /// <returns>False where the connection is being closed.</returns>
    public async ValueTask<bool> AdmitAsync(Client client, byte[] text)
    {
        var connection = client.Connection;
        if (FirstFrame.Read(text, out var problem) is not { } first)
        {
            Answers.AuthFailed(connection, CloseReason.BadFirstFrame, problem!);
            return false;
        }

        try
        {
            // Not bound to the peer's going: whoever looks at the clock learns nothing about a session.
            if (await authenticator.AuthenticateAsync(first.Token, CancellationToken.None) is not { } caller)
            {
                Answers.AuthFailed(connection, CloseReason.InvalidToken, "The token is not that of a session.");
                return false;
            }

            connection.Authenticated(caller);
            if (!connections.TryAddToUser(connection))
            {
                Answers.AuthFailed(connection, CloseReason.TooManyConnections, $"A user may have {delivery.MaxConnectionsPerUser} connections.");
                return false;
            }

            await users.EnterAsync(caller.UserId);
            client.HearsUser = true;
            client.Watch = WatchAsync(caller.Session);
            await WelcomeAsync(client, caller, first.Rooms);
            return true;
        }
        catch (Exception exception) when (exception is SessionStoreUnavailableException or RelayUnavailableException)
        {
            LogUnavailable(exception, connection.IdText);
            Answers.AuthFailed(connection, CloseReason.Unavailable, "The session can't be checked now.");
            return false;
        }
    }

    /// <returns>Whether the session is watched; its life is looked up now and then in any case.</returns>
    private async Task<bool> WatchAsync(SessionKey session)
    {
        try
        {
            return await sessions.EnterAsync(session);
        }
        catch (SessionStoreUnavailableException exception)
        {
            LogNotWatched(exception);
            return false;
        }
    }

    private async ValueTask WelcomeAsync(Client client, Caller caller, IReadOnlyList<RoomRequest> asked)
    {
        var requests = Merge(asked, caller.RoomIds);
        var answers = await Task.WhenAll(requests.Select(request => access.CheckAsync(caller, request.RoomId).AsTask()));
        var granted = requests.Where((_, index) => answers[index] == RoomAnswer.Granted).Take(roomOptions.MaxRoomsPerConnection).ToArray();
        client.Connection.HoldWelcome(JsonSerializer.SerializeToUtf8Bytes(
            new AuthenticatedFrame(
                "auth", true, caller.UserId, caller.CompanyId, client.Connection.IdText, SecondsLeft(caller),
                [.. granted.Select(request => request.RoomId)], (int)delivery.PingInterval.TotalSeconds),
            ProtocolJson.Default.AuthenticatedFrame));

        for (var index = 0; index < requests.Count; index++)
        {
            await entrance.JoinAsync(client, requests[index], answers[index]);
        }

        if (client.Rooms.Count == 0)
        {
            // No joined is on its way.
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

    [LoggerMessage(611, LogLevel.Debug, "A session's end will be noticed at the next look only.")]
    private partial void LogNotWatched(Exception exception);

    [LoggerMessage(610, LogLevel.Warning, "Connection {Connection} can't be let in: Redis is out of reach.")]
    private partial void LogUnavailable(Exception exception, string connection);
}
