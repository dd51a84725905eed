using System.Collections.Concurrent;
using System.Globalization;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Logs users in and out as Quantum does: each login has a session and a REST token of its own, and a logout ends both at once.
/// </summary>
internal sealed class FaultSessions(IConnectionMultiplexer redis, QuantumServer quantum)
{
    private readonly TestSessions _sessions = new(redis);
    private readonly ConcurrentDictionary<long, int> _logins = new();

    /// <returns>The token for the browser.</returns>
    public async Task<string> BeginAsync(Persona who)
    {
        var login = _logins.AddOrUpdate(who.User, 1, (_, logins) => logins + 1);
        var record = TestSessions.Record(who.User, who.Company);
        await _sessions.StoreAsync(
            Key(who, login), record.Replace($"rest-{who.User}", RestToken(who, login), StringComparison.Ordinal));
        return TestSessions.Token(Key(who, login));
    }

    public async Task EndAsync(Persona who)
    {
        var login = _logins[who.User];
        quantum.EndedTokens[$"Token {RestToken(who, login)}"] = true;
        await redis.GetDatabase().KeyDeleteAsync(Key(who, login));
        await redis.GetDatabase().PublishAsync(
            RedisChannel.Literal("chat:control"), $"{{\"type\":\"logout\",\"key\":\"{Key(who, login)}\"}}");
    }

    private static string RestToken(Persona who, int login) =>
        string.Create(CultureInfo.InvariantCulture, $"rest-{who.User}-{login}");

    private static string Key(Persona who, int login) =>
        string.Create(CultureInfo.InvariantCulture, $"login{login}of{who.User}_{who.Company}_{who.User}");
}
