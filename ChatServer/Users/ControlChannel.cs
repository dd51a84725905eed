using System.Text.Json;
using System.Text.Json.Serialization;
using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Rooms.Access;
using ChatServer.Rooms.Fanout;
using ChatServer.Sessions;

namespace ChatServer.Users;

/// <summary>
/// Carries out what Quantum publishes on <c>chat:control</c>: a logout, a disconnect, a changed list of members (contract 2.3).
/// </summary>
internal sealed partial class ControlChannel(
    IBackplane backplane, SessionWatch sessions, ConnectionRegistry connections, MemberLists lists, RoomAccess access, RoomDirectory rooms,
    TimeProvider time, ILogger<ControlChannel> logger) : BackgroundService
{
    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        RedisRetry.UntilDoneAsync(() => ListenAsync(stoppingToken), () => RedisOptions.ResubscribePause, time, cancellation: stoppingToken);

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await backplane.SubscribeToControlAsync(json => _ = CarryOutAsync(json));
        await Task.Delay(Timeout.Infinite, stoppingToken);
    }

    private async Task CarryOutAsync(ReadOnlyMemory<byte> json)
    {
        switch (Read(json.Span))
        {
            case { Type: "logout", Key: { } text } when SessionKey.TryParse(text, out var key):
                sessions.End(key);
                break;
            case { Type: "disconnect", UserId: { } user, CompanyId: var company }:
                Disconnect(user, company);
                break;
            case { Type: "members_changed", CompanyId: { } company, RoomId: { } room }:
                await PutOutAsync(new RoomKey(company, room));
                break;
            default:
                Log.NotUnderstood(logger, json.Length);
                break;
        }
    }

    private void Disconnect(long user, long? company)
    {
        foreach (var connection in connections.OfUser(user))
        {
            if (company is null || connection.Caller!.CompanyId == company)
            {
                connection.Close(CloseReason.SessionEnded);
            }
        }
    }

    /// <summary>Asks again who is a member, and removes those who no longer are. If Quantum is out of reach, everybody stays.</summary>
    private async Task PutOutAsync(RoomKey room)
    {
        lists.Drop(room);
        foreach (var member in rooms.MembersOf(room))
        {
            if (await access.CheckAsync(member.Connection.Caller!, room.RoomId) == RoomAnswer.Forbidden)
            {
#if FAULT_INJECTION
                if (FaultInjection.Disables("removal"))
                {
                    member.Connection.Send(RoomFrames.Removed(room.RoomId));
                    continue;
                }

#endif
                rooms.Leave(member, RoomFrames.Removed(room.RoomId));
            }
        }
    }

    private static Order? Read(ReadOnlySpan<byte> json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, OrderJson.Default.Order);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>One order, as Quantum writes it.</summary>
    internal sealed record Order(string? Type, string? Key, long? UserId, long? CompanyId, long? RoomId);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Order))]
    internal sealed partial class OrderJson : JsonSerializerContext;

    private static partial class Log
    {
        [LoggerMessage(1010, LogLevel.Warning,
            "On channel chat:control came {Bytes} bytes that are not an order; nothing is done. Check what Quantum "
            + "publishes.")]
        public static partial void NotUnderstood(ILogger logger, int bytes);
    }
}
