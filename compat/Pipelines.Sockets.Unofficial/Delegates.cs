namespace Pipelines.Sockets.Unofficial;

/// <summary>Walks through the targets of a delegate without allocating.</summary>
public static class Delegates
{
    /// <summary>Whether <paramref name="handler"/> has exactly one target.</summary>
    public static bool IsSingle(this MulticastDelegate handler)
    {
        ArgumentNullException.ThrowIfNull(handler);
        return handler.HasSingleTarget;
    }

    /// <summary>The targets of <paramref name="handler"/> in the order in which they were added; none where it is null.</summary>
    public static DelegateEnumerable<T> AsEnumerable<T>(this T? handler)
        where T : MulticastDelegate => new(handler);

    /// <summary>The targets of a delegate.</summary>
    /// <typeparam name="T">The type of the delegate.</typeparam>
    public readonly struct DelegateEnumerable<T>
        where T : MulticastDelegate
    {
        private readonly T? _handler;

        internal DelegateEnumerable(T? handler) => _handler = handler;

        /// <summary>Starts before the first target.</summary>
        public DelegateEnumerator<T> GetEnumerator() => new(_handler);
    }

    /// <summary>A place among the targets of a delegate.</summary>
    /// <typeparam name="T">The type of the delegate.</typeparam>
    public struct DelegateEnumerator<T>
        where T : MulticastDelegate
    {
        private Delegate.InvocationListEnumerator<T> _targets;

        internal DelegateEnumerator(T? handler) => _targets = Delegate.EnumerateInvocationList(handler);

        /// <summary>The target reached.</summary>
        public readonly T Current => _targets.Current;

        /// <summary>Goes on to the next target; false past the last.</summary>
        public bool MoveNext() => _targets.MoveNext();
    }
}
