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
        if (Pinning.Obstacle is { } obstacle)
        {
            await Console.Out.WriteLineAsync($"Nothing is pinned to a core, as {obstacle}: servers and generator disturb each other.");
        }

        foreach (var work in options.Workloads)
        {
            foreach (var contestant in (IEnumerable<Contestant>)[Contestant.Product, .. options.Peers])
            {
                var runs = new List<RunResult>();
                for (var run = 1; run <= options.Runs; run++)
                {
                    var result = await Run.OnceAsync(contestant, work, options, cancellation);
                    runs.Add(result);
                    await Console.Out.WriteLineAsync(Describe(contestant, work, run, result));
                }

                board.Put(work, contestant, runs);
            }
        }

        await Console.Out.WriteLineAsync($"\n{Table.Of(board, options.Workloads, options.Peers)}");
        return board.IsSound ? 0 : RefusedExitCode;
    }

    private static string Describe(Contestant contestant, Workload work, int run, RunResult result)
    {
        var drive = result.Drive;
        var text = !drive.IsSound ? Cell.Refusal([result])
            : work.Kind == Drive.WorkKind.Idle ? $"{work.Connections / drive.LoginSeconds:F0} connects/s"
            : $"{drive.DeliveriesPerSecond:F0} deliveries/s, server {drive.ServerCpuSeconds:F1} s, Redis {drive.RedisCpuSeconds:F1} s, "
              + $"generator's core {drive.GeneratorBusy:P0}, {result.SavesPerSecond:F0} saves/s, {result.Backlog} left to save, {drive.Stalls} stalls, "
              + $"p50/p99/p99.9 {drive.P50:F2}/{drive.P99:F2}/{drive.P999:F2} ms";
        return string.Create(CultureInfo.InvariantCulture, $"{work.Key} {contestant.Key} {run}: {text}");
    }
}
