using System.Diagnostics;
using System.Globalization;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Soak;

/// <summary>
/// Half load for long, while others come and go: nothing may be lost, doubled or reordered, and in the second half neither memory nor
/// handles may keep growing.
/// </summary>
internal static class SoakCommand
{
    private const double MostGrowth = 0.05;

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(10);

    public static async Task<int> RunAsync(SoakOptions options, CancellationToken cancellation)
    {
        var load = new LoadOptions();
        var closed = Workload.All.First(work => work.Key == "fanout-100x10");
        await using var scene = await Contestant.Product.StartAsync(closed, load, cancellation);
        var probe = options.Rate > 0 ? null : await Run.OnceAsync(Contestant.Product, closed, load, scene, 0, cancellation);
        if (probe is { Drive.IsSound: false })
        {
            await Console.Out.WriteLineAsync(Cell.Refusal([probe]));
            return LoadCommand.RefusedExitCode;
        }

        var rate = probe is null ? options.Rate : probe.Drive.SentInWindow / probe.Drive.WindowSeconds / 2;
        await Console.Out.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"{rate:F0} messages/s for {options.Minutes:F0} minutes"));

        var soak = closed with { Kind = WorkKind.Rate, Rate = rate };
        using var leaving = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        var churn = new Churn(scene.Ports[0], closed.Rooms, closed.Connections + 1);
        var churning = churn.RunAsync(leaving.Token);
        var running = Run.OnceAsync(
            Contestant.Product, soak, load with { Seconds = 60 * options.Minutes }, scene, probe?.Drive.Sent ?? 0, cancellation);
        var samples = await SampleAsync(scene, running, cancellation);
        var result = await running;
        await leaving.CancelAsync();
        await churning;
        return await ReportAsync(result, samples, churn);
    }

    private static async Task<List<Holding>> SampleAsync(Scene scene, Task running, CancellationToken cancellation)
    {
        var samples = new List<Holding>();
        var started = Stopwatch.GetTimestamp();
        while (await Task.WhenAny(running, Task.Delay(Between, cancellation)) != running)
        {
            cancellation.ThrowIfCancellationRequested();
            var holding = new Holding(
                Stopwatch.GetElapsedTime(started).TotalSeconds, ProcessFigures.ResidentBytes(scene.ServerPids),
                ProcessFigures.Handles(scene.ServerPids));
            samples.Add(holding);
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{holding.Seconds,6:F0} s  {holding.ResidentBytes / 1048576.0,7:F1} MiB  {holding.Handles,5} handles  Redis {ProcessFigures.ResidentBytes(scene.RedisPids) / 1048576.0,7:F1} MiB"));
        }

        return samples;
    }

    private static async Task<int> ReportAsync(RunResult result, List<Holding> samples, Churn churn)
    {
        var drive = result.Drive;
        if (!drive.IsSound)
        {
            await Console.Out.WriteLineAsync(Cell.Refusal([result]));
            return LoadCommand.RefusedExitCode;
        }

        var growth = new Growth(samples);
        var first = churn.FirstFailure is null ? "" : $" ({churn.FirstFailure})";
        await Console.Out.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"""
            {drive.Sent:N0} messages, {drive.Expected:N0} deliveries: none lost, doubled or out of order
            {churn.Visits:N0} others came and went, {churn.Failures} of them not as they should{first}
            p50/p99/p99.9 {drive.P50:F2}/{drive.P99:F2}/{drive.P999:F2} ms
            {result.SavesPerSecond:F0} saves/s, {result.Backlog} left to save
            in the second half: memory {growth.MemoryInSecondHalf:+0.0%;-0.0%}, handles {growth.HandlesInSecondHalf:+0.0%;-0.0%}
            """));
        return growth.MemoryInSecondHalf < MostGrowth && growth.HandlesInSecondHalf < MostGrowth && churn.Failures == 0 ? 0 : 1;
    }
}
