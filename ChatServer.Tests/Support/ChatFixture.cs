using StackExchange.Redis;

namespace ChatServer.Tests.Support;

/// <summary>
/// Everything that a chat needs, for a class of tests: a real Redis, a Quantum, sessions, and nodes as the tests want them.
/// </summary>
public sealed class ChatFixture : IAsyncLifetime
{
    private readonly RedisServer _redis = new();
    private ConnectionMultiplexer? _connection;
    private QuantumServer? _quantum;
    private TestNode? _node;

    internal RedisServer Redis => _redis;

    internal QuantumServer Quantum => _quantum!;

    internal TestNode Node => _node!;

    internal IConnectionMultiplexer Connection => _connection!;

    internal TestSessions Sessions => new(_connection!);

    /// <summary>For a test that needs everything to itself.</summary>
    internal static async Task<ChatFixture> StartAsync()
    {
        var fixture = new ChatFixture();
        await fixture.InitializeAsync();
        return fixture;
    }

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _connection = await _redis.ConnectAsync();
        _quantum = await QuantumServer.StartAsync();
        _node = await StartNodeAsync();
    }

    /// <summary>A user who has logged in, is connected to the first node and in these rooms.</summary>
    internal async Task<ChatPeer> LoginAsync(long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(Node.Url, await Sessions.LoginAsync(user), rooms);

    /// <summary>One more node over the same Redis and Quantum.</summary>
    internal Task<TestNode> StartNodeAsync(params (string Name, string Value)[] settings) =>
        TestNode.StartAsync(_redis, Quantum.Url, settings);

    public async ValueTask DisposeAsync()
    {
        if (_node is not null)
        {
            await _node.DisposeAsync();
        }

        if (_quantum is not null)
        {
            await _quantum.DisposeAsync();
        }

        if (_connection is not null)
        {
            await _connection.DisposeAsync();
        }

        await _redis.DisposeAsync();
    }
}
