using System.Diagnostics;
using System.Globalization;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Saving;

/// <summary>A backlog that is to be saved.</summary>
/// <param name="Rooms">Over which it is spread evenly; each has two members.</param>
/// <param name="SaveBatch">How many messages one call may save.</param>
internal sealed record BacklogCase(int Rooms, bool OnDjango, int SaveBatch)
{
    public string Title => string.Create(
        CultureInfo.InvariantCulture,
        $"{(OnDjango ? "Django sample" : $"stand-in, {QuantumStandIn.StandardDelay} ms")}, {(Rooms == 1 ? "1 room" : $"{Rooms} rooms")}");
}

/// <summary>What came of saving a backlog.</summary>
/// <param name="Messages">That waited.</param>
/// <param name="Seconds">From when Quantum went on until ChatServer had noted in Redis that it has all.</param>
/// <param name="ServerCpuSeconds">Processor time in that time.</param>
/// <param name="Refusal">Why these are no figures; null if they are.</param>
internal sealed record BacklogRun(
    long Messages, double Seconds, double ServerCpuSeconds, double RedisCpuSeconds, double QuantumCpuSeconds, string? Refusal = null)
{
    public double PerSecond => Messages / Seconds;
}

/// <summary>
/// Fills a backlog while Quantum stands still, then lets it go on, and looks how long it takes until all is saved. Quantum is stopped as a
/// process and not ended: what ChatServer pauses after failures is no part of the figure. The first runs do not count: they warm up and
/// tell how many messages the others need.
/// </summary>
internal static class Backlog
{
    /// <summary>What a backlog, and so each call, may take at most.</summary>
    public static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    /// <summary>In a second, while the backlog is filled.</summary>
    private const int FillRate = 10_000;

    /// <summary>In the first run, for each second that a run should take.</summary>
    private const int FirstMessages = 100;

    /// <summary>More take long to be filled.</summary>
    public const int MostMessages = 100_000;

    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan CountedWithin = TimeSpan.FromMilliseconds(200);

    public static async Task<IReadOnlyList<BacklogRun>> MeasureAsync(
        BacklogCase one, DjangoKit? kit, SavesOptions options, CancellationToken cancellation)
    {
        var work = new Workload("backlog", one.Title, WorkKind.Rate, one.Rooms, 2, FillRate);
        using var django = one.OnDjango ? await DjangoSample.PrepareAsync(kit!, work, cancellation) : null;
        await using var scene = await SavingScene.StartAsync(
            work, one.SaveBatch, django, [("QUANTUM_TIMEOUT", $"{Limit.TotalSeconds}")], cancellation);
        await using var unsaved = await UnsavedRooms.ConnectAsync(scene.RedisPort);
        var runs = new List<BacklogRun>();
        var messages = FirstMessages * options.Seconds;
        var counts = false;
        for (var run = 1; runs.Count < options.Runs; run++)
        {
            var result = await OnceAsync(work, messages, scene, unsaved, cancellation);
            await Console.Out.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"{one.Title}, up to {one.SaveBatch} in a call, {(counts ? "" : "not counted, ")}{run}: "
                + $"{result.Refusal ?? Describe(result)}"));
            if (result.Refusal is not null)
            {
                return [result];
            }

            if (counts)
            {
                runs.Add(result);
                continue;
            }

            // How fast it goes is only known from a run that was long enough, and not the first one, in which all is cold.
            counts = run > 1 && (result.Seconds > options.Seconds / 2 || result.Messages > MostMessages / 2);
            messages = Math.Min(result.PerSecond * options.Seconds, MostMessages);
        }

        var known = await scene.CountNotedAsync(cancellation);
        var has = await (django?.CountRowsAsync(cancellation) ?? StandInHasAsync(scene, cancellation));
        return has == known ? runs : [Refuse($"REFUSED: ChatServer counts {known} messages as saved, and Quantum has {has}")];
    }

    private static async Task<long> StandInHasAsync(Scene scene, CancellationToken cancellation) =>
        await scene.CountSavedAsync(cancellation) ?? 0;

    private static async Task<BacklogRun> OnceAsync(
        Workload work, double messages, Scene scene, UnsavedRooms unsaved, CancellationToken cancellation)
    {
        var before = await scene.CountNotedAsync(cancellation);
        scene.PauseQuantum();
        var fill = await Run.OnceAsync(
            Contestant.Product, work, new LoadOptions { WarmUpSeconds = 0, Seconds = messages / FillRate }, scene, 0, cancellation);
        if (!fill.Drive.IsSound)
        {
            return Refuse(Cell.Refusal([fill]));
        }

        var quantum = scene.QuantumPids;
        var cpu = Cpu();
        var started = Stopwatch.GetTimestamp();
        scene.ResumeQuantum();
        while (await unsaved.AnyAsync() && Stopwatch.GetElapsedTime(started) < Limit)
        {
            await Task.Delay(LookEvery, cancellation);
        }

        var passed = Stopwatch.GetElapsedTime(started);
        var after = Cpu();

        // The server counts when it has Redis's answer, which the look may have overtaken.
        await Task.Delay(CountedWithin, cancellation);
        var saved = await scene.CountNotedAsync(cancellation) - before;
        return new(
            fill.Drive.Sent, passed.TotalSeconds, after.Server - cpu.Server, after.Redis - cpu.Redis, after.Quantum - cpu.Quantum,
            saved == fill.Drive.Sent ? null : $"REFUSED: {saved} of {fill.Drive.Sent} messages were saved in {passed.TotalSeconds:F0} s");

        (double Server, double Redis, double Quantum) Cpu() => (
            ProcessFigures.CpuSeconds(scene.ServerPids), ProcessFigures.CpuSeconds(scene.RedisPids), ProcessFigures.CpuSeconds(quantum));
    }

    private static string Describe(BacklogRun run) => string.Create(
        CultureInfo.InvariantCulture,
        $"{run.PerSecond:F0} saves/s ({run.Messages} in {run.Seconds:F2} s), server {run.ServerCpuSeconds:F2} s, "
        + $"Redis {run.RedisCpuSeconds:F2} s, Quantum {run.QuantumCpuSeconds:F2} s");

    private static BacklogRun Refuse(string why) => new(0, 0, 0, 0, 0, why);
}
