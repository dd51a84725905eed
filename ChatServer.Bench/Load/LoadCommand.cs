using System.Globalization;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Load;

/// <summary>Gives every workload to every server in turn and reports.</summary>
internal static class LoadCommand
{
    public const int RefusedExitCode = 1;

    public static async Task<int> RunAsync(LoadOptions options, CancellationToken cancellation)
    {
        var board = new Scoreboard();
        await Console.Out.WriteLineAsync(options.Description);
        if (Pinning.Obstacle is { } obstacle)
        {
            await Console.Out.WriteLineAsync($"Nothing is pinned to a core, as {obstacle}: servers and generator disturb each other.");
        }

        // The page tells of all peers that can be had, whichever are measured now.
        var lineup = await Lineup.FindAsync(options.WritesDocs ? Contestant.Peers : options.Peers, cancellation);
        foreach (var (peer, reason) in lineup.Absent)
        {
            await Console.Out.WriteLineAsync($"{peer.Key} is left out: {reason}.");
        }

        var peers = options.Peers.Where(lineup.Present.Contains).ToList();
        foreach (var work in options.Workloads)
        {
            foreach (var contestant in ((IEnumerable<Contestant>)[Contestant.Product, .. peers]).Where(one => one.CanDo(work)))
            {
                var runs = await Bout.FightAsync(contestant, work, options, cancellation);
                board.Put(work, contestant, runs);
            }
        }

        await Console.Out.WriteLineAsync($"\n{Table.Of(board, options.Workloads, peers)}");
        if (options.WritesDocs && board.IsProductSound)
        {
            await WriteAsync(board, options, lineup, cancellation);
        }

        return board.IsSound ? 0 : RefusedExitCode;
    }

    private static async Task WriteAsync(Scoreboard board, LoadOptions options, Lineup lineup, CancellationToken cancellation)
    {
        var all = new Scoreboard();
        var store = new ResultStore(Path.Combine(Repository.Artifacts, "performance.json"), OriginOf(options));
        store.Load(all);
        all.PutAll(board);
        store.Save(all);
        if (all.IsComplete(lineup.Present))
        {
            var machine = await Machine.DescribeAsync(
                [MachineProgram.Redis, MachineProgram.Node, MachineProgram.Nginx], cancellation);
            await File.WriteAllTextAsync(
                Path.Combine(Repository.Docs, "performance.md"), Document.Of(all, options, lineup, machine), cancellation);
            await File.WriteAllTextAsync(Path.Combine(Repository.Docs, "performance.svg"), Chart.Of(all, lineup.Present), cancellation);
            await Console.Out.WriteLineAsync("docs/performance.md and docs/performance.svg are written.");
        }
        else
        {
            await Console.Out.WriteLineAsync(
                "Kept. docs/performance.md is written when every workload has been measured on every server with these sources and options.");
        }
    }

    /// <summary>Figures of two versions, or of two ways to measure, do not belong on one page.</summary>
    private static string OriginOf(LoadOptions options) => string.Create(
        CultureInfo.InvariantCulture,
        $"{Repository.HashOfChatServer()} {options.Description}");
}
