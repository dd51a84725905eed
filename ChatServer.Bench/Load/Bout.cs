using System.Globalization;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Load;

/// <summary>
/// All runs of one workload on one server. They share one process, and the first of them does not count: a .NET process compiles its busy
/// methods again in its first seconds, which slows every contestant down. Idle runs each get a fresh process, as they measure its growth.
/// </summary>
internal static class Bout
{
    public static async Task<IReadOnlyList<RunResult>> FightAsync(
        Contestant contestant, Workload work, LoadOptions options, CancellationToken cancellation)
    {
        var runs = new List<RunResult>();
        if (work.Kind == WorkKind.Idle)
        {
            for (var run = 1; run <= options.Runs; run++)
            {
                await using var fresh = await contestant.StartAsync(work, options, cancellation);
                runs.Add(await RunAsync(contestant, work, options, fresh, run, 0, cancellation));
            }

            return runs;
        }

        await using var scene = await contestant.StartAsync(work, options, cancellation);
        var sent = 0L;
        for (var run = 0; run <= options.Runs; run++)
        {
            var result = await RunAsync(contestant, work, options, scene, run, sent, cancellation);
            sent += result.Drive.Sent;
            if (run > 0 || !result.Drive.IsSound)
            {
                runs.Add(result);
            }
        }

        return runs;
    }

    private static async Task<RunResult> RunAsync(
        Contestant contestant, Workload work, LoadOptions options, Scene scene, int run, long sentBefore, CancellationToken cancellation)
    {
        var result = await Run.OnceAsync(contestant, work, options, scene, sentBefore, cancellation);
        await Console.Out.WriteLineAsync(Describe(contestant, work, run, result));
        return result;
    }

    private static string Describe(Contestant contestant, Workload work, int run, RunResult result)
    {
        var drive = result.Drive;
        var text = !drive.IsSound ? Cell.Refusal([result])
            : work.Kind == Drive.WorkKind.Idle ? $"{work.Connections / drive.LoginSeconds:F0} connects/s"
            : $"{drive.DeliveriesPerSecond:F0} deliveries/s, server {drive.ServerCpuSeconds:F1} s, Redis {drive.RedisCpuSeconds:F1} s, "
              + $"generator's core {drive.GeneratorBusy:P0}, {result.SavesPerSecond:F0} saves/s, {result.Backlog} left to save, "
              + $"{drive.Stalls} stalls, "
              + $"p50/p99/p99.9 {drive.P50:F2}/{drive.P99:F2}/{drive.P999:F2} ms, generator late {drive.LagP99:F2} ms";
        return string.Create(CultureInfo.InvariantCulture, $"{work.Key} {contestant.Key} {run}: {text}");
    }
}
