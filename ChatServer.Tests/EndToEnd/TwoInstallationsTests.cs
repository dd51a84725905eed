using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.EndToEnd;

/// <summary>
/// Two installations share one Redis, each with a database of its own, and have users, companies and rooms of the same numbers. Channels
/// belong to no database.
/// </summary>
public sealed class TwoInstallationsTests : IAsyncLifetime
{
    private const long Room = 12;

    private readonly RedisServer _redis = new();
    private readonly List<ConnectionMultiplexer> _connections = [];
    private QuantumServer? _quantum;

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _quantum = await QuantumServer.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _connections)
        {
            await connection.DisposeAsync();
        }

        await _quantum!.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1, 0)]
    [InlineData(2, 1)]
    public async Task What_is_said_and_saved_in_one_is_not_heard_in_the_other(int here, int there)
    {
        await using var one = await StartAsync(here);
        await using var other = await StartAsync(there);
        await using var ada = await LoginAsync(one, here, 7);
        await using var ben = await LoginAsync(one, here, 8);
        await using var ada2 = await LoginAsync(other, there, 7);
        await using var ben2 = await LoginAsync(other, there, 8);

        await ada.SayAsync(Room, "a1");
        await ben.UntilMessageAsync("a1");
        await ada.ToldAsync("info_chat");
        await ben.ToldAsync("saved");

        // Whatever crosses has come before this, which takes the same ways.
        await ben2.SayAsync(Room, "b1");
        (await HeardUntilAsync(ada2, "saved")).Should().BeEquivalentTo("chat", "saved");
        (await HeardUntilAsync(ben2, "info_chat")).Should().Equal("info_chat");
        other.Log.All.Should().NotContain(line => line.StartsWith("Warning", StringComparison.Ordinal))
            .And.NotContain(line => line.Contains("subscription had not delivered", StringComparison.Ordinal));
        (await ada.DrainAllAsync()).Should().BeEmpty();
    }

    [Fact]
    public async Task What_Quantum_says_to_a_user_is_heard_in_each()
    {
        await using var one = await StartAsync(0);
        await using var other = await StartAsync(1);
        await using var ada = await LoginAsync(one, 0, 7);
        await using var ada2 = await LoginAsync(other, 1, 7);

        await _connections[0].GetSubscriber().PublishAsync(RedisChannel.Literal("user_7"), """{"type":"bell"}""");

        await ada.FindAsync("bell");
        await ada2.FindAsync("bell");
    }

    /// <summary>The types of all that a peer has heard, when it has heard one of a certain type.</summary>
    private static async Task<IReadOnlyList<string>> HeardUntilAsync(ChatPeer peer, string type)
    {
        var heard = new List<string>();
        for (var start = TimeProvider.System.GetTimestamp(); !heard.Contains(type);)
        {
            TimeProvider.System.GetElapsedTime(start).Should().BeLessThan(ChatPeer.Patience, "only {0} came", heard);
            heard.AddRange((await peer.DrainAllAsync()).Select(frame => frame.Type()));
        }

        return heard;
    }

    private Task<TestNode> StartAsync(int database) =>
        TestNode.StartAsync(_redis, _quantum!.Url, ("CHAT_REDIS_DATABASE", $"{database}"));

    private async Task<ChatPeer> LoginAsync(TestNode node, int database, long user)
    {
        var connection = await ConnectionMultiplexer.ConnectAsync($"{_redis.Endpoint},defaultDatabase={database}");
        _connections.Add(connection);
        return await ChatPeer.LoginAsync(node.Url, await new TestSessions(connection).LoginAsync(user), Room);
    }
}
