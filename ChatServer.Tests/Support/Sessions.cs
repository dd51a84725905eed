using System.Text;
using StackExchange.Redis;

namespace ChatServer.Tests.Support;

/// <summary>Logs users in as Quantum does: a record in Redis, a token for the browser.</summary>
internal sealed class Sessions(IConnectionMultiplexer redis)
{
    public const long Company = 3;

    /// <returns>The token.</returns>
    public async Task<string> LoginAsync(long user, long company = Company, string? roomIds = null, TimeSpan? timeToLive = null)
    {
        var key = Key(user, company);
        var rooms = roomIds is null ? "" : $",\"room_ids\":{roomIds}";
        var record = $"{{\"token_key\":\"rest-{user}\",\"user\":{{\"id\":{user}}},\"company\":{{\"id\":{company}}}{rooms}}}";
        await redis.GetDatabase().StringSetAsync(key, record, timeToLive ?? TimeSpan.FromHours(1));
        return Token(key);
    }

    public Task LogoutAsync(long user, long company = Company) => redis.GetDatabase().KeyDeleteAsync(Key(user, company));

    public static string Key(long user, long company = Company) => $"session{user}_{company}_{user}";

    public static string Token(string key) => Convert.ToBase64String(Encoding.UTF8.GetBytes(key));
}
