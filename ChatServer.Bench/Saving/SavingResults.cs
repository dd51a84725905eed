using ChatServer.Bench.Peers;
using ChatServer.Bench.Report;

namespace ChatServer.Bench.Saving;

/// <summary>All that was measured.</summary>
/// <param name="Kit">What the Django sample ran on; null if it was left out.</param>
/// <param name="Missing">Why it was.</param>
internal sealed record SavingResults(DjangoKit? Kit, string Missing)
{
    /// <summary>Of each case its runs one by one, and those with many in a call.</summary>
    public List<(BacklogCase Case, IReadOnlyList<BacklogRun> Singles, IReadOnlyList<BacklogRun> Batches)> Backlogs { get; } = [];

    public List<(int Members, Cell Runs)> Journeys { get; } = [];

    public bool IsSound =>
        Backlogs.SelectMany(each => each.Singles.Concat(each.Batches)).All(run => run.Refusal is null)
        && Journeys.All(each => each.Runs.IsSound);
}
