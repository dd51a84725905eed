namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>Makes arrays of other things from a run of elements.</summary>
public static class SequenceExtensions
{
    /// <summary>An array with what <paramref name="projection"/> makes of each element.</summary>
    /// <typeparam name="TFrom">The type of the elements.</typeparam>
    /// <typeparam name="TTo">The type of the array.</typeparam>
    public static TTo[] ToArray<TFrom, TTo>(this in Sequence<TFrom> source, Projection<TFrom, TTo> projection)
    {
        ArgumentNullException.ThrowIfNull(projection);
        if (source.IsEmpty)
        {
            return [];
        }

        var result = new TTo[source.Length];
        Project(source.FirstSpan, result, projection);
        return result;
    }

    /// <summary>An array with what <paramref name="projection"/> makes of each element and <paramref name="state"/>.</summary>
    /// <typeparam name="TFrom">The type of the elements.</typeparam>
    /// <typeparam name="TState">The type of the state.</typeparam>
    /// <typeparam name="TTo">The type of the array.</typeparam>
    public static TTo[] ToArray<TFrom, TState, TTo>(
        this in Sequence<TFrom> source, Projection<TFrom, TState, TTo> projection, in TState state)
    {
        ArgumentNullException.ThrowIfNull(projection);
        var items = source.FirstSpan;
        if (items.IsEmpty)
        {
            return [];
        }

        var result = new TTo[items.Length];
        for (var i = 0; i < items.Length; i++)
        {
            result[i] = projection(in items[i], in state);
        }

        return result;
    }

    /// <summary>Writes what <paramref name="projection"/> makes of each element.</summary>
    /// <typeparam name="TFrom">The type of the elements.</typeparam>
    /// <typeparam name="TTo">The type of the destination.</typeparam>
    /// <exception cref="ArgumentException"><paramref name="destination"/> is shorter than the run.</exception>
    public static void CopyTo<TFrom, TTo>(this in Sequence<TFrom> source, Span<TTo> destination, Projection<TFrom, TTo> projection)
    {
        ArgumentNullException.ThrowIfNull(projection);
        if (destination.Length < source.Length)
        {
            throw new ArgumentException("The destination is shorter than the sequence.", nameof(destination));
        }

        Project(source.FirstSpan, destination, projection);
    }

    private static void Project<TFrom, TTo>(ReadOnlySpan<TFrom> source, Span<TTo> destination, Projection<TFrom, TTo> projection)
    {
        for (var i = 0; i < source.Length; i++)
        {
            destination[i] = projection(in source[i]);
        }
    }
}
