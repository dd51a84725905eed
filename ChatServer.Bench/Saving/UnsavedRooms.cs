using ChatServer.Redis;
using StackExchange.Redis;

namespace ChatServer.Bench.Saving;

/// <summary>
/// Looks in Redis whether anything waits for Quantum: one command that costs ChatServer nothing, while its metrics would cost more than
/// some saves.
/// </summary>
internal sealed class UnsavedRooms : IAsyncDisposable
{
    private static readonly RedisKey[] Keys =
        [.. Enumerable.Range(0, RedisOptions.DefaultPartitions).Select(partition => (RedisKey)RedisKeys.Unsaved(partition))];

    private readonly ConnectionMultiplexer _redis;

    private UnsavedRooms(ConnectionMultiplexer redis) => _redis = redis;

    public static async Task<UnsavedRooms> ConnectAsync(int port) => new(await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port}"));

    public async Task<bool> AnyAsync() => await _redis.GetDatabase().KeyExistsAsync(Keys) > 0;

    public ValueTask DisposeAsync() => _redis.DisposeAsync();
}
