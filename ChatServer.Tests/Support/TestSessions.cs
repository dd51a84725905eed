using System.Text;
using StackExchange.Redis;

namespace ChatServer.Tests.Support;

/// <summary>Logs users in as Quantum does: a record in Redis, a token for the browser.</summary>
internal sealed class TestSessions(IConnectionMultiplexer redis)
{
    public const long Company = 3;

    /// <returns>The token.</returns>
    public async Task<string> LoginAsync(long user, long company = Company, string? roomIds = null, TimeSpan? timeToLive = null)
    {
        await StoreAsync(Key(user, company), Record(user, company, roomIds), timeToLive);
        return Token(Key(user, company));
    }

    /// <summary>Stores whatever value under a session's key.</summary>
    public Task StoreAsync(string key, string value, TimeSpan? timeToLive = null) =>
        redis.GetDatabase().StringSetAsync(key, value, timeToLive ?? TimeSpan.FromHours(1));

    /// <summary>What Quantum stores for a login.</summary>
    public static string Record(long user, long company = Company, string? roomIds = null)
    {
        var rooms = roomIds is null ? "" : $",\"room_ids\":{roomIds}";
        return $"{{\"token_key\":\"rest-{user}\",\"user\":{{\"id\":{user}}},\"company\":{{\"id\":{company}}}{rooms}}}";
    }

    public Task LogoutAsync(long user, long company = Company) => redis.GetDatabase().KeyDeleteAsync(Key(user, company));

    public static string Key(long user, long company = Company) => $"session{user}_{company}_{user}";

    public static string Token(string key) => Convert.ToBase64String(Encoding.UTF8.GetBytes(key));
}
