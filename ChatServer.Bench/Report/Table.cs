using System.Globalization;
using System.Text;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>
/// The figures as Markdown: a row for each figure of each workload, a column for each server, with ChatServer's figure divided by a peer's
/// in brackets; then what ChatServer alone has, and what was refused.
/// </summary>
internal static class Table
{
    private const string None = "–";

    public static string Of(Scoreboard board, IReadOnlyList<Workload> works, IReadOnlyList<Contestant> peers)
    {
        var table = new StringBuilder("| work | figure | ChatServer |");
        foreach (var peer in peers)
        {
            table.Append(CultureInfo.InvariantCulture, $" {peer.Title} (÷) |");
        }

        table.Append("\n|---|---|").Append(string.Concat(Enumerable.Repeat("---:|", 1 + peers.Count))).Append('\n');
        foreach (var work in works)
        {
            foreach (var measure in Measure.For(work.Kind))
            {
                AppendRow(table, board, work, measure, peers);
            }
        }

        AppendProduct(table, board, works.Where(work => work.Kind != WorkKind.Idle).ToList());
        AppendRefusals(table, board, works, peers);
        return table.ToString();
    }

    private static void AppendRow(StringBuilder table, Scoreboard board, Workload work, Measure measure, IReadOnlyList<Contestant> peers)
    {
        var product = board.Find(work, Contestant.Product);
        table.Append(CultureInfo.InvariantCulture, $"| {work.Title} | {measure.Title} | {Text(product, work, measure)} |");
        foreach (var peer in peers)
        {
            var cell = measure.OfRedis && !peer.UsesRedis ? null : board.Find(work, peer);
            table.Append(CultureInfo.InvariantCulture, $" {Text(cell, work, measure)}{Ratio(product, cell, work, measure)} |");
        }

        table.Append('\n');
    }

    private static void AppendProduct(StringBuilder table, Scoreboard board, List<Workload> works)
    {
        if (works.Count == 0)
        {
            return;
        }

        table.Append("\n| ChatServer |");
        foreach (var measure in Measure.OfProduct)
        {
            table.Append(CultureInfo.InvariantCulture, $" {measure.Title} |");
        }

        table.Append("\n|---|").Append(string.Concat(Enumerable.Repeat("---:|", Measure.OfProduct.Count))).Append('\n');
        foreach (var work in works)
        {
            var cell = board.Find(work, Contestant.Product);
            var figures = Measure.OfProduct.Select(measure => $" {Text(cell, work, measure)} |");
            table.Append(CultureInfo.InvariantCulture, $"| {work.Title} |").AppendJoin("", figures).Append('\n');
        }
    }

    private static void AppendRefusals(
        StringBuilder table, Scoreboard board, IReadOnlyList<Workload> works, IReadOnlyList<Contestant> peers)
    {
        var lines = works.SelectMany(work => peers.Prepend(Contestant.Product)
            .Select(one => (one, Cell: board.Find(work, one)))
            .Where(found => found.Cell is { IsSound: false })
            .Select(found => $"- {found.one.Title}, {work.Title}: {found.Cell!.Refusal()}\n")).ToList();
        if (lines.Count > 0)
        {
            table.Append('\n').AppendJoin("", lines);
        }
    }

    private static string Text(Cell? cell, Workload work, Measure measure) =>
        cell is null ? None
        : !cell.IsSound ? "refused"
        : cell.Median(run => measure.Of(work, run)).ToString(measure.Format, CultureInfo.InvariantCulture);

    /// <returns>Nothing if one of them has no figure, or the peer's is too small to be measured.</returns>
    private static string Ratio(Cell? product, Cell? peer, Workload work, Measure measure)
    {
        if (product is not { IsSound: true } || peer is not { IsSound: true })
        {
            return "";
        }

        var ratio = product.Median(run => measure.Of(work, run)) / peer.Median(run => measure.Of(work, run));
        return double.IsFinite(ratio) ? string.Create(CultureInfo.InvariantCulture, $" ({ratio:F2})") : "";
    }
}
