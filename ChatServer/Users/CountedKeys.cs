namespace ChatServer.Users;

/// <summary>Keys, each as often as it was added. Safe for use by several threads.</summary>
internal sealed class CountedKeys<T>
    where T : notnull
{
    private readonly Lock _gate = new();
    private readonly Dictionary<T, int> _counts = [];

    /// <summary>All of them, as often as they are there.</summary>
    public IReadOnlyList<T> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _counts.SelectMany(count => Enumerable.Repeat(count.Key, count.Value))];
            }
        }
    }

    public void Add(T key)
    {
        lock (_gate)
        {
            _counts[key] = _counts.GetValueOrDefault(key) + 1;
        }
    }

    /// <summary>Removes it once.</summary>
    /// <returns>False if it is not there.</returns>
    public bool TryRemove(T key)
    {
        lock (_gate)
        {
            if (!_counts.TryGetValue(key, out var count))
            {
                return false;
            }

            if (count == 1)
            {
                _counts.Remove(key);
            }
            else
            {
                _counts[key] = count - 1;
            }

            return true;
        }
    }
}
