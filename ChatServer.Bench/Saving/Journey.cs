using System.Globalization;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Report;

namespace ChatServer.Bench.Saving;

/// <summary>
/// How long a message takes until a member of its room has it, and until its sender hears that it is saved, in one room of many members
/// with the Django sample behind it.
/// </summary>
internal static class Journey
{
    public const double WarmUpSeconds = 2;

    public static IReadOnlyList<int> Sizes { get; } = [100, 1000, 5000];

    public static async Task<Cell> MeasureAsync(int members, DjangoKit kit, SavesOptions options, CancellationToken cancellation)
    {
        var work = new Workload("journey", $"{members:N0} members", WorkKind.Rate, 1, members, options.Rate, HearsSaves: true);
        using var django = await DjangoSample.PrepareAsync(kit, work, cancellation);

        // Quantum says who may enter, as it does in production.
        await using var scene = await SavingScene.StartAsync(work, SavingScene.Batch, django, [("ROOM_ACCESS", "quantum")], cancellation);
        var runs = new List<RunResult>();
        for (var run = 0; run <= options.Runs; run++)
        {
            var result = await Run.OnceAsync(
                Contestant.Product, work, new LoadOptions { WarmUpSeconds = WarmUpSeconds, Seconds = options.Seconds }, scene, 0,
                cancellation);
            var drive = result.Drive;
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{work.Title} {run}: {(drive.IsSound ? Describe(drive) : Cell.Refusal([result]))}"));
            if (run > 0 || !drive.IsSound)
            {
                runs.Add(result);
            }
        }

        return new(runs);
    }

    private static string Describe(DriveResult drive) => string.Create(
        CultureInfo.InvariantCulture,
        $"arrives p50/p99 {drive.P50:F1}/{drive.P99:F1} ms, saved p50/p99 {drive.SavedP50:F1}/{drive.SavedP99:F1} ms, "
        + $"server {drive.ServerCpuSeconds:F2} s, Redis {drive.RedisCpuSeconds:F2} s, generator {drive.GeneratorCpuSeconds:F2} s "
        + $"of {drive.WindowSeconds:F1} s, generator late {drive.LagP99:F2} ms");
}
