using System.Text.Json;
using ChatServer.Bench.Load;

namespace ChatServer.Bench.Report;

/// <summary>
/// Keeps results between runs of this program, so that the workloads may be measured one by one. Only results of the same sources, measured
/// the same way, come together.
/// </summary>
internal sealed class ResultStore(string file, string origin)
{
    public void Load(Scoreboard board)
    {
        if (!File.Exists(file) || JsonSerializer.Deserialize<Kept>(File.ReadAllText(file)) is not { } kept || kept.Origin != origin)
        {
            return;
        }

        foreach (var work in Workload.All)
        {
            foreach (var contestant in Contestant.All)
            {
                if (kept.Cells.TryGetValue(Name(work, contestant), out var runs))
                {
                    board.Put(work, contestant, runs);
                }
            }
        }
    }

    public void Save(Scoreboard board)
    {
        var kept = new Kept(origin, []);
        foreach (var work in Workload.All)
        {
            foreach (var contestant in Contestant.All)
            {
                if (board.Find(work, contestant) is { } cell)
                {
                    kept.Cells[Name(work, contestant)] = cell.Runs;
                }
            }
        }

        Directory.CreateDirectory(Path.GetDirectoryName(file)!);
        File.WriteAllText(file, JsonSerializer.Serialize(kept));
    }

    private static string Name(Workload work, Contestant contestant) => $"{work.Key} {contestant.Key}";

    private sealed record Kept(string Origin, Dictionary<string, IReadOnlyList<RunResult>> Cells);
}
