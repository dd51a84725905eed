using System.Globalization;
using System.Text;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Saving;

namespace ChatServer.Bench.Report;

/// <summary>docs/performance-saving.md, all of it.</summary>
internal static class SavingDocument
{
    public const string FileName = "performance-saving.md";

    private const double Micro = 1e6;

    /// <summary>The columns of a journey, and how they are written.</summary>
    private static readonly (string Format, Func<DriveResult, double> Of)[] JourneyFigures =
    [
        ("F1", run => run.P50), ("F1", run => run.P99), ("F1", run => run.SavedP50), ("F1", run => run.SavedP99),
        ("F0", run => 100 * run.ServerCpuSeconds / run.WindowSeconds), ("F0", run => 100 * run.GeneratorBusy),
    ];

    /// <summary>The server whose version matters; the Django sample's own are in <see cref="DjangoKit"/>.</summary>
    public static IReadOnlyList<MachineProgram> Programs { get; } = [MachineProgram.Redis];

    public static string Of(SavingResults results, SavesOptions options, string machine) => string.Create(
        CultureInfo.InvariantCulture, $"""
        # How fast messages are saved

        Made by `dotnet run -c Release --project ChatServer.Bench -- saves`, which measures and writes this page. Do not edit it.
        [performance.md](performance.md) has the figures of ChatServer's own traffic.

        ## What was measured

        - **One by one**: ChatServer as it is without further settings. A call for each message, with its sender's token; of one room one
          call at a time, of all rooms up to 8.
        - **Many in a call**: `SAVE_BATCH={SavingScene.Batch}`, with `QUANTUM_SERVICE_TOKEN`.
        - **Stand-in**: takes {QuantumStandIn.StandardDelay} ms for each call, however many messages it carries, and keeps nothing. So it
          shows what ChatServer can do.
        {Django(results)}

        ## The machine

        {machine}{(results.Kit is { } kit ? $"\n- {kit.Versions}" : "")}

        ## How it was measured

        - *A backlog*: Quantum's processes are stopped (SIGSTOP) while the messages come, and go on when all of them wait. Time counts
          from then until ChatServer has noted in Redis that all are saved, which is looked for every 10 ms. ChatServer is told to be
          patient here (`QUANTUM_TIMEOUT` {Backlog.Limit.TotalSeconds:F0}): what it pauses after failures is no part of the figures.
        - A backlog has as many messages as are saved in about {options.Seconds:F0} s, but no more than {Backlog.MostMessages:N0}:
          {Runs(results).Min(run => run.Messages):N0} to {Runs(results).Max(run => run.Messages):N0} of them,
          with bodies of {Plan.StandardBodyBytes} bytes, of one sender in each room. At the end Quantum must have exactly as many as
          ChatServer says that it has saved.
        - *A journey*: one room, one sender, {options.Rate:F0} messages/s in an open loop, `SAVE_BATCH={SavingScene.Batch}`. Each member is
          a connection of its own, and checks that each message comes once and in order. Time counts from the moment when a message was
          due. *Arrival* is when a member other than the sender has it, over all members; *saved* is when the sender hears `info_chat`.
          The others hear of it up to a quarter of a second later, of several at once.
        - Each figure is the median of {options.Runs} run{(options.Runs == 1 ? "" : "s")}, a journey's of {options.Seconds:F0} s after
          {Journey.WarmUpSeconds:F0} s under load. Some more come first and do not count.
        - Redis writes nothing to disk.

        {Tables(results)}
        """);

    /// <summary>The figures alone.</summary>
    public static string Tables(SavingResults results)
    {
        var text = new StringBuilder();
        if (results.Backlogs.Count > 0)
        {
            AppendBacklogs(text, results);
        }

        if (results.Journeys.Count > 0)
        {
            AppendJourneys(text, results);
        }

        return text.ToString();
    }

    private static string Django(SavingResults results) => results.Kit is { } kit
        ? $"- **Django sample**: [samples/quantum-django](../samples/quantum-django) with SQLite in a file and `DJANGO_DEBUG=false`,\n"
          + $"  {kit.Way}."
        : $"- Left out: the **Django sample**, as {results.Missing}. So there are no journeys.";

    private static IEnumerable<BacklogRun> Runs(SavingResults results) =>
        results.Backlogs.SelectMany(each => each.Singles.Concat(each.Batches));

    private static void AppendBacklogs(StringBuilder text, SavingResults results)
    {
        text.Append("""
            ## A backlog

            | Quantum | one by one, messages/s | many in a call, messages/s | ÷ |
            |---|---:|---:|---:|

            """);
        foreach (var (one, singles, batches) in results.Backlogs)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {one.Title} | {Rate(singles)} | {Rate(batches)} | {Ratio(singles, batches)} |\n");
        }

        text.Append("""

            ÷ is many in a call divided by one by one. What the processors did for each message meanwhile, in µs:

            | Quantum | in a call | ChatServer | Redis | Quantum |
            |---|---:|---:|---:|---:|

            """);
        foreach (var (one, singles, batches) in results.Backlogs)
        {
            AppendCost(text, one.Title, "1", singles);
            AppendCost(text, one.Title, $"up to {SavingScene.Batch}", batches);
        }

        text.Append("""

            What members hear of saved messages is not in ChatServer's time: they have left. Where little is saved in a second, what
            ChatServer does anyhow weighs on each message.


            """);
    }

    private static void AppendCost(StringBuilder text, string title, string inACall, IReadOnlyList<BacklogRun> runs) =>
        text.Append(CultureInfo.InvariantCulture, $"| {title} | {inACall} | {Cost(runs, run => run.ServerCpuSeconds)} |")
            .Append(CultureInfo.InvariantCulture, $" {Cost(runs, run => run.RedisCpuSeconds)} |")
            .Append(CultureInfo.InvariantCulture, $" {Cost(runs, run => run.QuantumCpuSeconds)} |\n");

    private static void AppendJourneys(StringBuilder text, SavingResults results)
    {
        text.Append("""
            ## A journey

            | one room, Django sample | arrival p50, ms | arrival p99, ms | saved p50, ms | saved p99, ms | server, % | generator, % |
            |---|---:|---:|---:|---:|---:|---:|

            """);
        foreach (var (members, runs) in results.Journeys)
        {
            text.Append(CultureInfo.InvariantCulture, $"| {members:N0} members |");
            if (!runs.IsSound)
            {
                text.Append(CultureInfo.InvariantCulture, $" {runs.Refusal()} | | | | | |\n");
                continue;
            }

            foreach (var (format, measure) in JourneyFigures)
            {
                var figure = runs.Median(run => measure(run.Drive)).ToString(format, CultureInfo.InvariantCulture);
                text.Append(CultureInfo.InvariantCulture, $" {figure} |");
            }

            text.Append('\n');
        }

        text.Append("""

            The last two columns are shares of a core, of processor time. Generator and Quantum share one: what the generator needs there, Quantum waits for.

            """);
    }

    private static string Rate(IReadOnlyList<BacklogRun> runs) =>
        Refusal(runs) ?? Middle.Of(runs, run => run.PerSecond).ToString("N0", CultureInfo.InvariantCulture);

    private static string Ratio(IReadOnlyList<BacklogRun> singles, IReadOnlyList<BacklogRun> batches) =>
        Refusal(singles) is null && Refusal(batches) is null
            ? (Middle.Of(batches, run => run.PerSecond) / Middle.Of(singles, run => run.PerSecond))
                .ToString("F1", CultureInfo.InvariantCulture)
            : "–";

    private static string Cost(IReadOnlyList<BacklogRun> runs, Func<BacklogRun, double> seconds) => Refusal(runs) is null
        ? Middle.Of(runs, run => Micro * seconds(run) / run.Messages).ToString("N0", CultureInfo.InvariantCulture)
        : "–";

    private static string? Refusal(IReadOnlyList<BacklogRun> runs) =>
        runs.Select(run => run.Refusal).FirstOrDefault(refusal => refusal is not null);
}
