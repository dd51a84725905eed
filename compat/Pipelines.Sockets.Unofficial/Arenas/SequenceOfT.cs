namespace Pipelines.Sockets.Unofficial.Arenas;

/// <summary>A run of elements, all in one piece; the members about segments are those that callers of the official package use.</summary>
/// <typeparam name="T">The type of the elements.</typeparam>
public readonly struct Sequence<T> : IEquatable<Sequence<T>>
{
    private readonly T[]? _items;
    private readonly int _start;
    private readonly int _length;

    internal Sequence(T[]? items, int start, int length)
    {
        _items = items;
        _start = start;
        _length = length;
    }

    /// <summary>How many elements there are.</summary>
    public long Length => _length;

    /// <summary>Whether there are none.</summary>
    public bool IsEmpty => _length == 0;

    /// <summary>Whether all elements are in <see cref="FirstSpan"/>; always.</summary>
    public bool IsSingleSegment => true;

    /// <summary>The elements.</summary>
    public Span<T> FirstSpan => new(_items, _start, _length);

    /// <summary>The segments: one, or none where the run is empty.</summary>
    public SpanEnumerable Spans => new(this);

    /// <summary>The element at <paramref name="index"/>, counted from 0.</summary>
    public ref T this[int index] => ref FirstSpan[index];

    /// <summary>Whether two runs are the same elements, not equal ones.</summary>
    public static bool operator ==(Sequence<T> left, Sequence<T> right) => left.Equals(right);

    /// <summary>Whether two runs are not the same elements.</summary>
    public static bool operator !=(Sequence<T> left, Sequence<T> right) => !left.Equals(right);

    /// <summary>The run without its type.</summary>
    public Sequence Untyped() => new(_items, _start, _length);

    /// <summary>Starts before the first element.</summary>
    public Enumerator GetEnumerator() => new(FirstSpan);

    /// <inheritdoc/>
    public bool Equals(Sequence<T> other) =>
        ReferenceEquals(_items, other._items) && _start == other._start && _length == other._length;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is Sequence<T> other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(_items, _start, _length);

    /// <summary>A place among the elements.</summary>
    public ref struct Enumerator
    {
        private readonly Span<T> _items;
        private int _index;

        internal Enumerator(Span<T> items)
        {
            _items = items;
            _index = -1;
        }

        /// <summary>The element reached.</summary>
        public readonly ref T Current => ref _items[_index];

        /// <summary>Goes on to the next element; false past the last.</summary>
        public bool MoveNext() => ++_index < _items.Length;

        /// <summary>Goes on to the next element and gives it.</summary>
        /// <exception cref="InvalidOperationException">There is none.</exception>
        public ref T GetNext()
        {
            if (!MoveNext())
            {
                throw new InvalidOperationException("The sequence has no further element.");
            }

            return ref Current;
        }
    }

    /// <summary>The segments of a run.</summary>
    public readonly ref struct SpanEnumerable
    {
        private readonly Sequence<T> _sequence;

        internal SpanEnumerable(Sequence<T> sequence) => _sequence = sequence;

        /// <summary>Starts before the first segment.</summary>
        public SpanEnumerator GetEnumerator() => new(_sequence);
    }

    /// <summary>A place among the segments of a run.</summary>
    public ref struct SpanEnumerator
    {
        private bool _given;

        internal SpanEnumerator(Sequence<T> sequence)
        {
            Current = sequence.FirstSpan;
            _given = sequence.IsEmpty;
        }

        /// <summary>The segment reached.</summary>
        public Span<T> Current { get; }

        /// <summary>Goes on to the next segment; false past the last.</summary>
        public bool MoveNext()
        {
            var more = !_given;
            _given = true;
            return more;
        }
    }
}
