using System.Globalization;

namespace ChatServer.Sessions;

/// <summary>Who is at the other end of a connection, as the session record in Redis says.</summary>
/// <param name="UserId">Quantum's user id, unique over all companies.</param>
/// <param name="CompanyId">The company whose rooms the user may enter.</param>
/// <param name="TokenKey">The user's token for Quantum's REST API.</param>
/// <param name="RoomIds">The rooms that the user may enter, each once; null if the record has no such list.</param>
/// <param name="Session">The session's key in Redis.</param>
/// <param name="ExpiresAt">When the session expires; null if it has no end.</param>
internal sealed record Caller(
    long UserId,
    long CompanyId,
    string TokenKey,
    IReadOnlyList<long>? RoomIds,
    SessionKey Session,
    DateTimeOffset? ExpiresAt)
{
    /// <summary>For logs: without the token and the session's key.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"user {UserId} of company {CompanyId}");
}
