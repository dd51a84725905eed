using System.Diagnostics;
using System.Text.Json;
using System.Threading.Channels;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Load;

/// <summary>What came of one run.</summary>
/// <param name="SavesPerSecond">Messages that Quantum got in each second of the measured window.</param>
/// <param name="Backlog">Messages that the server had taken, in this run and those before it, and Quantum did not have at the end.</param>
/// <param name="AllocatedBytes">What the server allocated in the measured window, saves and all; 0 if it does not tell.</param>
internal sealed record RunResult(DriveResult Drive, double SavesPerSecond, long Backlog, long AllocatedBytes = 0);

/// <summary>Runs the generator against a server.</summary>
internal static class Run
{
    /// <summary>Logins, draining and the start of a process, at their slowest.</summary>
    private static readonly TimeSpan Overhead = TimeSpan.FromSeconds(90);

    /// <param name="sentBefore">Messages that the server got in earlier runs.</param>
    public static async Task<RunResult> OnceAsync(
        Contestant contestant, Workload work, LoadOptions options, Scene scene, long sentBefore, CancellationToken cancellation)
    {
        var lines = Channel.CreateUnbounded<string>();
        var plan = JsonSerializer.Serialize(PlanOf(contestant, work, options, scene));
        await using var generator = Child.Start(
            new(Pinning.Wrap(Pinning.GeneratorCore, Scene.Self("drive", plan))), line => lines.Writer.TryWrite(line));
        var ended = generator.ExitAsync(Overhead + TimeSpan.FromSeconds(options.WarmUpSeconds + options.Seconds), cancellation);
        _ = ended.ContinueWith(
            _ => lines.Writer.TryComplete(), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);

        var (from, to) = (default(Sample), default(Sample));
        DriveResult? result = null;
        await foreach (var line in lines.Reader.ReadAllAsync(CancellationToken.None))
        {
            switch (line)
            {
                case "window":
                    from = await SampleAsync(scene, cancellation);
                    break;

                case "end":
                    to = await SampleAsync(scene, cancellation);
                    break;

                default:
                    result = JsonSerializer.Deserialize<DriveResult>(line);
                    break;
            }
        }

        await ended;
        if (result is null)
        {
            return new(new DriveResult { Failures = 1, FirstFailure = generator.Output }, 0, 0);
        }

        var last = await scene.CountSavedAsync(cancellation);
        var seconds = Stopwatch.GetElapsedTime(from.At, to.At).TotalSeconds;
        return new(result, seconds > 0 ? (to.Saved - from.Saved) / seconds : 0, last is { } saved ? sentBefore + result.Sent - saved : 0,
            to.Allocated - from.Allocated);
    }

    private static Plan PlanOf(Contestant contestant, Workload work, LoadOptions options, Scene scene) => new()
    {
        Kind = work.Kind,
        Dialect = contestant.Dialect,
        Ports = [.. scene.Ports],
        Connections = work.Connections,
        Rooms = work.Rooms,
        Rate = work.Rate,
        WarmUpSeconds = options.WarmUpSeconds,
        Seconds = options.Seconds,
        Tls = work.Tls,
        Deflate = work.Deflate,
        HearsSaves = work.HearsSaves,
        ServerPids = [.. scene.ServerPids],
        RedisPids = scene.RedisPids,
    };

    private static async Task<Sample> SampleAsync(Scene scene, CancellationToken cancellation) =>
        new(Stopwatch.GetTimestamp(), await scene.CountSavedAsync(cancellation) ?? 0, await scene.CountAllocatedAsync(cancellation) ?? 0);

    private readonly record struct Sample(long At, long Saved, long Allocated);
}
