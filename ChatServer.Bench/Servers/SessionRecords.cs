using System.Text;
using StackExchange.Redis;

namespace ChatServer.Bench.Servers;

/// <summary>Logs users in as Quantum does (contract with Quantum: docs/quantum.md): one record in Redis for each.</summary>
internal static class SessionRecords
{
    public const int Company = 3;

    /// <summary>What a user's token for Quantum's REST API is, followed by the user's number.</summary>
    public const string RestToken = "rest-";

    private const int AtOnce = 1000;

    private static readonly TimeSpan Lifetime = TimeSpan.FromHours(3);

    /// <summary>What a browser of the user sends first.</summary>
    public static string Token(int user) => Convert.ToBase64String(Encoding.UTF8.GetBytes(Key(user)));

    public static async Task StoreAsync(string redis, int users)
    {
        await using var connection = await ConnectionMultiplexer.ConnectAsync(redis);
        var database = connection.GetDatabase();
        foreach (var chunk in Enumerable.Range(1, users).Chunk(AtOnce))
        {
            await Task.WhenAll(chunk.Select(user => database.StringSetAsync(Key(user), Record(user), Lifetime)));
        }
    }

    private static string Key(int user) => $"bench{user}_{Company}_{user}";

    private static string Record(int user) => $$"""{"token_key":"{{RestToken}}{{user}}","user_id":{{user}},"company_id":{{Company}}}""";
}
