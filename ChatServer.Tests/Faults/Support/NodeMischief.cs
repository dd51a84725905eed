using ChatServer.Redis;

namespace ChatServer.Tests.Faults.Support;

/// <summary>Nodes that are nobody's help.</summary>
internal static class NodeMischief
{
    /// <summary>Long enough that some messages have had all the time that a save may take.</summary>
    private static readonly TimeSpan CrashFor = Checker.SaveWithin + TimeSpan.FromSeconds(6);

    /// <summary>Names in the list of nodes behind which there is nobody, as of nodes that start and end again and again.</summary>
    public static async Task HauntAsync(FaultSite site, TimeSpan time, int ghosts = 3)
    {
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < time;)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            for (var ghost = 0; ghost < ghosts; ghost++)
            {
                await site.Database.SortedSetAddAsync(RedisKeys.Nodes, $"ghost {ghost}", now);
            }

            await Task.Delay(500);
        }
    }

    /// <summary>One more node, whose port is taken: it dies at its start, again and again. The saves of all go on.</summary>
    public static async Task CrashAsync(FaultSite site)
    {
        await site.CalmAsync();
        await site.WatchAsync(FaultSite.Companies, async () =>
        {
            await using var node = site.NodeWithoutAPort();
            for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < CrashFor;)
            {
                (await node.FailToStartAsync()).Should().NotBe(0, "its port is taken");
            }
        });
    }
}
