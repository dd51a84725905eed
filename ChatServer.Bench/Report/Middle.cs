namespace ChatServer.Bench.Report;

/// <summary>The median of what several runs gave.</summary>
internal static class Middle
{
    public static double Of<T>(IEnumerable<T> runs, Func<T, double> measure)
    {
        var values = runs.Select(measure).Order().ToList();
        return values.Count % 2 == 1 ? values[values.Count / 2] : (values[(values.Count / 2) - 1] + values[values.Count / 2]) / 2;
    }
}
