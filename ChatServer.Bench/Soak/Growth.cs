namespace ChatServer.Bench.Soak;

/// <summary>What a process held at one moment.</summary>
/// <param name="Seconds">Since the beginning of the load.</param>
internal readonly record struct Holding(double Seconds, long ResidentBytes, int Handles);

/// <summary>How what a process holds grows. Medians, as a garbage collector makes single samples jump.</summary>
internal sealed class Growth(IReadOnlyList<Holding> samples)
{
    /// <summary>Memory at the end of the second half over that at its beginning, less 1.</summary>
    public double MemoryInSecondHalf => Ratio(holding => holding.ResidentBytes);

    public double HandlesInSecondHalf => Ratio(holding => holding.Handles);

    private double Ratio(Func<Holding, double> measure)
    {
        var half = samples.Skip(samples.Count / 2).Select(measure).ToList();
        var part = Math.Max(1, half.Count / 5);
        return half.Count == 0 ? 0 : (Median(half.TakeLast(part)) / Median(half.Take(part))) - 1;
    }

    private static double Median(IEnumerable<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }
}
