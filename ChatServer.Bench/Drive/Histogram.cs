using System.Numerics;

namespace ChatServer.Bench.Drive;

/// <summary>Counts of times in nanoseconds: 128 classes for each power of two, so that a percentile is off by less than 0.8 %.</summary>
internal sealed class Histogram
{
    private const int SubBits = 7;

    private readonly long[] _classes = new long[64 << SubBits];
    private long _count;

    public void Add(long nanoseconds)
    {
        var value = (ulong)Math.Max(nanoseconds, 0);
        _classes[ClassOf(value)]++;
        _count++;
    }

    /// <returns>Milliseconds; 0 if nothing was counted.</returns>
    public double Percentile(double share)
    {
        var wanted = Math.Max(1, (long)((share * _count) + 0.5));
        var seen = 0L;
        for (var index = 0; index < _classes.Length; index++)
        {
            seen += _classes[index];
            if (seen >= wanted)
            {
                return Middle(index) / 1e6;
            }
        }

        return 0;
    }

    private static int ClassOf(ulong value)
    {
        if (value < 1 << SubBits)
        {
            return (int)value;
        }

        var power = BitOperations.Log2(value);
        return ((power - SubBits + 1) << SubBits) + (int)((value >> (power - SubBits)) & ((1 << SubBits) - 1));
    }

    private static double Middle(int index)
    {
        if (index < 1 << SubBits)
        {
            return index;
        }

        var shift = (index >> SubBits) - 1;
        return ((1 << SubBits) + (index & ((1 << SubBits) - 1)) + 0.5) * Math.Pow(2, shift);
    }
}
