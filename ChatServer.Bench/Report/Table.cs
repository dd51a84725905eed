using System.Globalization;
using System.Text;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>The one table, as Markdown: a row for each figure of each workload, a column for each server, and the ratios.</summary>
internal static class Table
{
    private const string None = "–";

    public static string Of(Scoreboard board, IReadOnlyList<Workload> works, IReadOnlyList<Contestant> peers)
    {
        var table = new StringBuilder("| work | figure | ChatServer |");
        foreach (var peer in peers)
        {
            table.Append(CultureInfo.InvariantCulture, $" {peer.Title} | ÷ {peer.Title} |");
        }

        table.Append("\n|---|---|").Append(string.Concat(Enumerable.Repeat("---:|", 1 + (2 * peers.Count)))).Append('\n');
        foreach (var work in works)
        {
            foreach (var measure in Measure.For(work.Kind))
            {
                AppendRow(table, board, work, measure, peers);
            }
        }

        return table.ToString();
    }

    private static void AppendRow(StringBuilder table, Scoreboard board, Workload work, Measure measure, IReadOnlyList<Contestant> peers)
    {
        var product = board.Find(work, Contestant.Product);
        table.Append(CultureInfo.InvariantCulture, $"| {work.Title} | {measure.Title} | {Text(product, work, measure)} |");
        foreach (var peer in peers)
        {
            var cell = measure.OnlyProduct ? null : board.Find(work, peer);
            table.Append(CultureInfo.InvariantCulture, $" {Text(cell, work, measure)} | {Ratio(product, cell, work, measure)} |");
        }

        table.Append('\n');
    }

    private static string Text(Cell? cell, Workload work, Measure measure) =>
        cell is null ? None
        : !cell.IsSound ? cell.Refusal()
        : cell.Median(run => measure.Of(work, run)).ToString(measure.Format, CultureInfo.InvariantCulture);

    private static string Ratio(Cell? product, Cell? peer, Workload work, Measure measure) =>
        product is { IsSound: true } && peer is { IsSound: true }
            ? (product.Median(run => measure.Of(work, run)) / peer.Median(run => measure.Of(work, run)))
                .ToString("F2", CultureInfo.InvariantCulture)
            : None;
}
