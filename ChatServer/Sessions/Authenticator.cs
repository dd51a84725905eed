using ChatServer.Redis;

namespace ChatServer.Sessions;

/// <summary>From the token of the first frame to the caller.</summary>
internal sealed partial class Authenticator(
    ISessionStore store,
    SessionRecordReader records,
    TimeProvider time,
    ILogger<Authenticator> logger)
{
    /// <summary>
    /// Looks the token's session up. Unknown, deleted and expired sessions take the same path to the same answer.
    /// </summary>
    /// <returns>Null if the token is not valid: the client is not told why.</returns>
    /// <exception cref="RedisUnavailableException">The session could be neither confirmed nor denied.</exception>
    public async ValueTask<Caller?> AuthenticateAsync(ReadOnlyMemory<byte> token, CancellationToken cancellation)
    {
        if (!TokenDecoder.TryDecode(token.Span, out var key))
        {
            Log.Refused(logger, SessionFault.MalformedToken);
            return null;
        }

        // Read before the look-up: the session then never counts as living longer than it does.
        var asked = time.GetUtcNow();
        if (await store.FindAsync(key, cancellation) is not { } stored)
        {
            Log.Refused(logger, SessionFault.UnknownSession);
            return null;
        }

        if (!records.TryRead(stored.Value, key, out var record, out var fault))
        {
            // Redis holds the session, so Quantum or the operator can fix this, not the client.
            Log.RecordUnusable(logger, key.UserId, key.CompanyId, fault);
            return null;
        }

        return new Caller(key.UserId, key.CompanyId, record.TokenKey, record.RoomIds, key, asked + stored.TimeToLive);
    }

    private static partial class Log
    {
        [LoggerMessage(500, LogLevel.Information, "A token was refused: {Fault}.")]
        public static partial void Refused(ILogger logger, SessionFault fault);

        [LoggerMessage(501, LogLevel.Warning,
            "The session record of user {UserId}, company {CompanyId} cannot be used: {Fault}. Check what Quantum writes, "
            + "SESSION_ENCRYPTION and FERNET_KEYS.")]
        public static partial void RecordUnusable(ILogger logger, long userId, long companyId, SessionFault fault);
    }
}
