using ChatServer.Bench.Load;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Saving;

/// <summary>Measures how fast messages are saved, and how long one is on its way, and reports.</summary>
internal static class SavesCommand
{
    private static readonly int[] RoomCounts = [1, 100];

    public static async Task<int> RunAsync(SavesOptions options, CancellationToken cancellation)
    {
        if (Pinning.Obstacle is { } obstacle)
        {
            await Console.Out.WriteLineAsync($"Nothing is pinned to a core, as {obstacle}: servers and generator disturb each other.");
        }

        var (kit, missing) = await DjangoSample.FindAsync(cancellation);
        await Console.Out.WriteLineAsync(
            kit is null ? $"The Django sample is left out: {missing}." : $"The Django sample is {kit.Way}.");

        var results = new SavingResults(kit, missing);
        bool[] quantums = kit is null ? [false] : [false, true];
        foreach (var (onDjango, rooms) in quantums.SelectMany(onDjango => RoomCounts.Select(rooms => (onDjango, rooms)))
            .Where(_ => options.Backlogs))
        {
            var (single, many) = (new BacklogCase(rooms, onDjango, 1), new BacklogCase(rooms, onDjango, SavingScene.Batch));
            results.Backlogs.Add((
                single, await Backlog.MeasureAsync(single, kit, options, cancellation),
                await Backlog.MeasureAsync(many, kit, options, cancellation)));
        }

        foreach (var members in Journey.Sizes.Where(_ => options.Journeys && kit is not null))
        {
            results.Journeys.Add((members, await Journey.MeasureAsync(members, kit!, options, cancellation)));
        }

        await Console.Out.WriteLineAsync($"\n{SavingDocument.Tables(results)}");
        if (options is { WritesDocs: true, Backlogs: true, Journeys: true } && results.IsSound)
        {
            await File.WriteAllTextAsync(
                Path.Combine(Repository.Docs, SavingDocument.FileName),
                SavingDocument.Of(results, options, await Machine.DescribeAsync(SavingDocument.Programs, cancellation)), cancellation);
            await Console.Out.WriteLineAsync($"docs/{SavingDocument.FileName} is written.");
        }

        return results.IsSound ? 0 : LoadCommand.RefusedExitCode;
    }
}
