using System.Globalization;
using System.Text;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>
/// docs/performance.svg: for each workload its main figure, a bar for each server. Its colours can be read on light and on dark pages.
/// </summary>
internal static class Chart
{
    private const int Width = 760;
    private const int LabelWidth = 130;
    private const int MaxBar = 500;
    private const int BarHeight = 16;
    private const int BarStep = 20;
    private const int TitleHeight = 26;
    private const int Gap = 16;

    /// <param name="peers">The servers beside ChatServer.</param>
    public static string Of(Scoreboard board, IReadOnlyList<Contestant> peers)
    {
        var body = new StringBuilder();
        var top = 8;
        foreach (var work in Workload.All)
        {
            foreach (var measure in Headlines(work.Kind))
            {
                top = AppendGroup(body, board, work, measure, peers, top) + Gap;
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $$"""
            <svg xmlns="http://www.w3.org/2000/svg" width="{{Width}}" height="{{top}}" viewBox="0 0 {{Width}} {{top}}"
              role="img" aria-label="ChatServer beside {{string.Join(", ", peers.Select(peer => peer.Title))}}">
            <style>text { font: 13px system-ui, sans-serif; fill: #7d8590 } .title { font-weight: 600 }
              .own { fill: #2f81f7 } .peer { fill: #8b949e }</style>
            {{body}}</svg>

            """);
    }

    private static IReadOnlyList<(Measure Measure, string Better)> Headlines(WorkKind kind) => kind switch
    {
        WorkKind.Fanout => [(Measure.Messages, "more is better")],
        WorkKind.Rate => [(Measure.P99, "less is better")],
        _ => [(Measure.Connects, "more is better"), (Measure.Memory, "less is better")],
    };

    /// <returns>Where the group ends.</returns>
    private static int AppendGroup(
        StringBuilder body, Scoreboard board, Workload work, (Measure Measure, string Better) main, IReadOnlyList<Contestant> peers,
        int top)
    {
        // Who lost something has no bar.
        var bars = peers.Prepend(Contestant.Product).Where(one => board.Find(work, one) is { IsSound: true })
            .Select(one => (one, Value: board.Find(work, one)!.Median(run => main.Measure.Of(work, run)))).ToList();
        var longest = bars.Max(bar => bar.Value);
        body.Append(CultureInfo.InvariantCulture,
            $"""<text class="title" x="8" y="{top + 14}">{work.Title}: {main.Measure.Title} ({main.Better})</text>""").Append('\n');
        top += TitleHeight;
        foreach (var (contestant, value) in bars)
        {
            var length = Math.Max(1, MaxBar * value / longest);
            var kind = contestant == Contestant.Product ? "own" : "peer";
            body.Append(CultureInfo.InvariantCulture, $"""
                <text x="8" y="{top + 13}">{contestant.Title}</text><rect class="{kind}" x="{LabelWidth}" y="{top}" width="{length:F1}" height="{BarHeight}" rx="2"/><text x="{LabelWidth + length + 6:F1}" y="{top + 13}">{value.ToString(main.Measure.Format, CultureInfo.InvariantCulture)}</text>
                """).Append('\n');
            top += BarStep;
        }

        return top;
    }
}
