using System.Globalization;
using ChatServer.Outbox;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using StackExchange.Redis;

namespace ChatServer.Tests.EndToEnd;

/// <summary>What is accepted reaches Quantum also when Redis is full, or when nodes are counted that are not there.</summary>
public sealed class BadDaysOfSavingTests
{
    private const long Room = 590;

    /// <summary>Longer than a lease, so that a node must take new ones.</summary>
    private static readonly TimeSpan Patience = OutboxOptions.LeaseTime + TimeSpan.FromSeconds(20);

    [Fact]
    public async Task A_full_redis_empties_itself_when_quantum_is_back_also_after_a_restart_of_the_node()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var quantum = await QuantumServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        var database = connection.GetDatabase();
        var token = await new TestSessions(connection).LoginAsync(61);
        quantum.Instead = (_, context) =>
        {
            context.Response.StatusCode = 503;
            return Task.FromResult(true);
        };
        await using (var node = await TestNode.StartAsync(redis, quantum.Url))
        {
            await using var ada = await ChatPeer.LoginAsync(node.Url, token, Room);
            for (var number = 1; number <= 20; number++)
            {
                await ada.SayAsync(Room, $"m{number}");
            }

            await database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
            await ada.ChatAsync(Room, "too much", "no space");
            await ada.ErrorAsync("unavailable");
        }

        await using var next = await TestNode.StartAsync(redis, quantum.Url);
        quantum.Instead = (_, _) => Task.FromResult(false);
        await quantum.WaitForSavedAsync(20).WaitAsync(Patience);
    }

    [Fact]
    public async Task Nodes_that_are_counted_and_not_there_leave_no_room_unsaved()
    {
        const int rooms = 64;
        await using var redis = await RedisServer.StartAsync();
        await using var quantum = await QuantumServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        var database = connection.GetDatabase();
        using var end = new CancellationTokenSource();
        var haunting = HauntAsync(database, end.Token);
        await using var node = await TestNode.StartAsync(redis, quantum.Url, ("ROOM_ACCESS", "company"));
        await using var ada = await ChatPeer.LoginAsync(
            node.Url, await new TestSessions(connection).LoginAsync(62), [.. Enumerable.Range(1, rooms).Select(room => (long)room)]);
        for (var room = 1; room <= rooms; room++)
        {
            await ada.SayAsync(room, $"m{room}");
        }

        await quantum.WaitForSavedAsync(rooms).WaitAsync(Patience);
        await end.CancelAsync();
        await haunting;
    }

    /// <summary>Three nodes in a crash loop: each time another name, and nobody behind it.</summary>
    private static async Task HauntAsync(IDatabase database, CancellationToken cancellation)
    {
        for (var number = 0; !cancellation.IsCancellationRequested; number++)
        {
            var time = (RedisResult[])(await database.ExecuteAsync("TIME"))!;
            await database.SortedSetAddAsync(
                RedisKeys.Nodes, string.Create(CultureInfo.InvariantCulture, $"ghost {number % 3}"), (long)time[0] * 1000);
            await Task.Delay(300, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
