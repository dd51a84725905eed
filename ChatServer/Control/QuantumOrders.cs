using System.Text.Json;
using System.Text.Json.Serialization;
using ChatServer.Authenticate;
using ChatServer.Deliver;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Control;

/// <summary>Carries out what Quantum publishes on <c>chat:control</c>: a logout, a disconnect, a changed list of members (contract 2.3).</summary>
internal sealed partial class QuantumOrders(
    IRelay relay, SessionWatch sessions, ConnectionRegistry connections, MemberLists lists, RoomAccess access, RoomDirectory rooms, TimeProvider time,
    ILogger<QuantumOrders> logger) : BackgroundService
{
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await using var hearing = await relay.SubscribeToControlAsync(json => _ = CarryOutAsync(json));
                await Task.Delay(Timeout.Infinite, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (RelayUnavailableException)
            {
                await Task.Delay(TryAgainAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
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
                LogNoOrder(json.Length);
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

    /// <summary>Asks anew who is a member, and puts out who is no longer one. Where Quantum is out of reach, everybody stays.</summary>
    private async Task PutOutAsync(RoomKey room)
    {
        lists.Drop(room);
        foreach (var member in rooms.MembersOf(room))
        {
            if (await access.CheckAsync(member.Connection.Caller!, room.RoomId) == RoomAnswer.Forbidden)
            {
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

    [LoggerMessage(700, LogLevel.Warning, "On chat:control came {Bytes} bytes that are no order; nothing is done.")]
    private partial void LogNoOrder(int bytes);

    /// <summary>One order, as Quantum writes it.</summary>
    internal sealed record Order(string? Type, string? Key, long? UserId, long? CompanyId, long? RoomId);

    [JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
    [JsonSerializable(typeof(Order))]
    internal sealed partial class OrderJson : JsonSerializerContext;
}
