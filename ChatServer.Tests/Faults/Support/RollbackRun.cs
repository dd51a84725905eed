namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// A run in which Redis falls back to a copy of itself again and again, sometimes together with all nodes, so that nobody is left who has
/// seen more. All of it is drawn from one seed.
/// </summary>
internal sealed class RollbackRun(int seed, TimeSpan time, Action<string> write)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(60);

    private readonly Random _random = new(seed);

    /// <returns>What clients believe that is not so.</returns>
    public async Task<IReadOnlyList<string>> PlayAsync(string? program = null, params (string Name, string? Value)[] settings)
    {
        await using var site = await FaultSite.StartAsync(seed, Interval, ["--save", ""], program, settings);
        await site.Database.ExecuteAsync("SAVE");
        site.Begin();
        var (rollbacks, withNodes) = (0, 0);
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < time; rollbacks++)
        {
            await PauseAsync(500, 1500);
            await site.Database.ExecuteAsync("SAVE");
            await PauseAsync(200, 1500);
            var all = _random.Next(3) == 0;
            withNodes += all ? 1 : 0;
            await FallBackAsync(site, all);
        }

        var missing = await site.SettleAsync(SettleWithin);
        var found = Divergence.Find([.. site.Clients.Select(client => client.History)]);
        write($"Seed {seed}: {rollbacks} rollbacks, {withNodes} of them with all nodes; {found.Count} seqs that are two messages"
            + $"{(missing is null ? "" : $"; in the end {missing}")}");
        missing.Should().BeNull("everybody must come to rest");
        return found;
    }

    private async Task FallBackAsync(FaultSite site, bool withNodes)
    {
        if (withNodes)
        {
            await Task.WhenAll(site.NodeProcesses.Select(node => node.KillAsync()));
        }

        await site.Redis.StopAsync();
        await PauseAsync(0, 500);
        await site.Redis.StartAgainAsync();
        if (withNodes)
        {
            await Task.WhenAll(site.NodeProcesses.Select(node => node.StartAsync()));
        }
    }

    private Task PauseAsync(int from, int to) => Task.Delay(_random.Next(from, to));
}
