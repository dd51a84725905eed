using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>A figure that a workload gives for a server.</summary>
/// <param name="Title">With its unit.</param>
/// <param name="Format">Of .NET.</param>
/// <param name="Of">Takes it from a run.</param>
/// <param name="OfRedis">Whether it means nothing for those that have no Redis.</param>
internal sealed record Measure(string Title, string Format, Func<Workload, RunResult, double> Of, bool OfRedis = false)
{
    private const double Micro = 1e6;

    /// <summary>The figure to compare: how many deliveries a message is depends on whether its sender gets it too.</summary>
    public static Measure Messages { get; } = new("messages/s", "N0", (_, run) => run.Drive.SentInWindow / run.Drive.WindowSeconds);

    public static Measure Deliveries { get; } = new("deliveries/s", "N0", (_, run) => run.Drive.DeliveriesPerSecond);

    public static Measure ServerCpu { get; } = new(
        "server CPU, µs/delivery", "F2", (_, run) => Micro * run.Drive.ServerCpuSeconds / run.Drive.DeliveriesInWindow);

    public static Measure P99 { get; } = new("p99, ms", "F2", (_, run) => run.Drive.P99);

    public static Measure Connects { get; } = new("connects/s", "N0", (work, run) => work.Connections / run.Drive.LoginSeconds);

    public static Measure Memory { get; } =
        new("server memory, KiB/connection", "F1", (work, run) => (run.Drive.RssAfter - run.Drive.RssBefore) / 1024.0 / work.Connections);

    private static Measure RedisCpu { get; } =
        new("Redis CPU, µs/delivery", "F2", (_, run) => Micro * run.Drive.RedisCpuSeconds / run.Drive.DeliveriesInWindow,
            OfRedis: true);

    private static Measure Saves { get; } = new("saved in Quantum, messages/s", "N0", (_, run) => run.SavesPerSecond);

    private static Measure Backlog { get; } = new("left to save, messages", "N0", (_, run) => run.Backlog);

    private static Measure Allocated { get; } =
        new("allocated, bytes/message", "N0", (_, run) => run.AllocatedBytes / (double)run.Drive.SentInWindow);

    private static Measure AllocatedEach { get; } =
        new("allocated, bytes/delivery", "N1", (_, run) => run.AllocatedBytes / (double)run.Drive.DeliveriesInWindow);

    /// <summary>What the others do not have, as they keep and save nothing, or do not tell what they allocate.</summary>
    public static IReadOnlyList<Measure> OfProduct { get; } = [Allocated, AllocatedEach, Saves, Backlog];

    public static IReadOnlyList<Measure> For(WorkKind kind) => kind switch
    {
        WorkKind.Fanout => [Messages, Deliveries, ServerCpu, RedisCpu],
        WorkKind.Rate =>
            [new("p50, ms", "F2", (_, run) => run.Drive.P50), P99, new(
                "p99.9, ms", "F2", (_, run) => run.Drive.P999), ServerCpu, RedisCpu],
        _ => [Connects, Memory],
    };
}
