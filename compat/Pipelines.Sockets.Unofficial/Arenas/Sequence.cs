namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>A run of elements whose type is not told: what lets a type hold runs of itself.</summary>
public readonly struct Sequence : IEquatable<Sequence>
{
    private readonly Array? _items;
    private readonly int _start;
    private readonly int _length;

    internal Sequence(Array? items, int start, int length)
    {
        _items = items;
        _start = start;
        _length = length;
    }

    /// <summary>How many elements there are.</summary>
    public long Length => _length;

    /// <summary>Whether two runs are the same elements, not equal ones.</summary>
    public static bool operator ==(Sequence left, Sequence right) => left.Equals(right);

    /// <summary>Whether two runs are not the same elements.</summary>
    public static bool operator !=(Sequence left, Sequence right) => !left.Equals(right);

    /// <summary>The run with its type.</summary>
    /// <typeparam name="T">The type of the elements.</typeparam>
    /// <exception cref="InvalidCastException">The elements are of another type.</exception>
    public Sequence<T> Cast<T>() => new((T[]?)_items, _start, _length);

    /// <inheritdoc/>
    public bool Equals(Sequence other) => ReferenceEquals(_items, other._items) && _start == other._start && _length == other._length;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Sequence other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_items, _start, _length);
}
