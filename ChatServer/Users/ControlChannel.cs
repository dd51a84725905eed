using System.Text.Json;
using System.Text.Json.Serialization;
using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Sessions;

namespace ChatServer.Users;

/// <summary>
/// Carries out what Quantum publishes on <c>chat:control</c>: a logout, a disconnect, a changed list of members (contract 2.3).
/// </summary>
internal sealed partial class ControlChannel(
    IBackplane backplane, SessionWatch sessions, ConnectionRegistry connections, MemberRechecks rechecks, TimeProvider time,
    ILogger<ControlChannel> logger) : BackgroundService
{
    private bool _isLate;

    protected override Task ExecuteAsync(CancellationToken stoppingToken) => RedisRetry.UntilDoneAsync(
        () => ListenAsync(stoppingToken), () => RedisOptions.ResubscribePause, time, _ => _isLate = true, stoppingToken);

    private async Task ListenAsync(CancellationToken stoppingToken)
    {
        await using var subscription = await backplane.SubscribeToControlAsync(CarryOut);
        if (_isLate)
        {
            // What was ordered before did not come here.
            rechecks.DoubtAll();
        }

        await Task.Delay(Timeout.Infinite, stoppingToken);
    }

    /// <summary>Called on the thread that hears all rooms: what takes its time is done elsewhere.</summary>
    private void CarryOut(ReadOnlyMemory<byte> json)
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
                rechecks.MembersChanged(new RoomKey(company, room));
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

    /// <returns>Null if it is no JSON that can be an order.</returns>
    internal static Order? Read(ReadOnlySpan<byte> json)
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
