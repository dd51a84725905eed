using ChatServer.Bench.Drive;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>All results by workload and server.</summary>
internal sealed class Scoreboard
{
    private readonly Dictionary<(string Work, string Contestant), Cell> _cells = [];

    public bool IsSound => _cells.Values.All(cell => cell.IsSound);

    /// <summary>Whether ChatServer lost nothing, whatever the others did.</summary>
    public bool IsProductSound => _cells.All(cell => cell.Key.Contestant != Contestant.Product.Key || cell.Value.IsSound);

    /// <summary>Whether there is something for every workload, of ChatServer and of these peers.</summary>
    public bool IsComplete(IReadOnlyList<Contestant> peers) => Workload.All.All(work =>
        peers.Append(Contestant.Product).Where(one => one.CanDo(work)).All(one => Find(work, one) is not null));

    /// <summary>The largest share of its core that the generator used, as a median of a workload's runs.</summary>
    public double BusiestGenerator(bool overTls) =>
        Workload.All.Where(work => work.Kind != WorkKind.Idle && work.Tls == overTls)
            .SelectMany(work => Contestant.All.Select(contestant => Find(work, contestant)))
            .Max(cell => cell?.Median(run => run.Drive.GeneratorBusy) ?? 0);

    public void Put(Workload work, Contestant contestant, IReadOnlyList<RunResult> runs) => _cells[(work.Key, contestant.Key)] = new(runs);

    public void PutAll(Scoreboard other)
    {
        foreach (var (name, cell) in other._cells)
        {
            _cells[name] = cell;
        }
    }

    public Cell? Find(Workload work, Contestant contestant) => _cells.GetValueOrDefault((work.Key, contestant.Key));
}

/// <summary>The runs of one workload on one server.</summary>
internal sealed class Cell(IReadOnlyList<RunResult> runs)
{
    public IReadOnlyList<RunResult> Runs => runs;

    public bool IsSound => runs.All(run => run.Drive.IsSound);

    /// <summary>Why no figure is given: a server that loses messages is not fast.</summary>
    public static string Refusal(IReadOnlyList<RunResult> runs)
    {
        var (lost, doubled, disordered, others) = (0L, 0L, 0L, 0L);
        foreach (var run in runs)
        {
            lost += run.Drive.Lost;
            doubled += run.Drive.Doubled;
            disordered += run.Drive.Disordered;
            others += run.Drive.Misrouted + run.Drive.Unacknowledged + run.Drive.Unsaved + run.Drive.Failures;
        }

        var text = $"REFUSED: {lost} lost, {doubled} doubled, {disordered} out of order";
        var first = runs.Select(run => run.Drive.FirstFailure).FirstOrDefault(failure => failure is not null);
        return others == 0 ? text : $"{text}, {others} misrouted, unacknowledged, unsaved or failed{(first is null ? "" : $" ({first})")}";
    }

    public string Refusal() => Refusal(runs);

    public double Median(Func<RunResult, double> measure) => Middle.Of(runs, measure);
}
