using ChatServer.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// One subscription per subject on this node, whatever the number of its users: opened for the first, closed after the last.
/// A subject that is entered again while its old subscription is still closing waits for that, so that closing can't end the new one.
/// </summary>
/// <param name="create">Makes what stands for a key while it is in use.</param>
/// <param name="open">Subscribes; what it returns is disposed after the last user has gone.</param>
internal sealed class CountedSubscriptions<TKey, TSubject>(Func<TKey, TSubject> create, Func<TSubject, ValueTask<IAsyncDisposable>> open)
    where TKey : notnull
{
    private readonly Dictionary<TKey, Entry> _entries = [];
    private readonly Dictionary<TKey, Task> _closing = [];
    private readonly Lock _gate = new();

    /// <summary>How many subjects are in use.</summary>
    public int Count
    {
        get
        {
            lock (_gate)
            {
                return _entries.Count;
            }
        }
    }

    /// <summary>The subjects in use, some of which may still be opening.</summary>
    public IReadOnlyList<TSubject> All
    {
        get
        {
            lock (_gate)
            {
                return [.. _entries.Values.Select(entry => entry.Subject)];
            }
        }
    }

    /// <summary>The subject of a key; null if it is not in use. It may still be opening.</summary>
    public TSubject? Find(TKey key)
    {
        lock (_gate)
        {
            return _entries.TryGetValue(key, out var entry) ? entry.Subject : default;
        }
    }

    /// <summary>Counts a user in, once per <see cref="Exit"/>, also when it fails.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force; the user is not counted.</exception>
    public async ValueTask<TSubject> EnterAsync(TKey key)
    {
        Entry? entry;
        lock (_gate)
        {
            if (!_entries.TryGetValue(key, out entry))
            {
                entry = new Entry(create(key));
                entry.Opened = OpenAsync(entry, _closing.GetValueOrDefault(key, Task.CompletedTask));
                _entries[key] = entry;
            }

            entry.Users++;
        }

        try
        {
            await entry.Opened;
            return entry.Subject;
        }
        catch
        {
            // Whatever went wrong, this user is not counted; the next one tries again.
            Exit(key);
            throw;
        }
    }

    public void Exit(TKey key)
    {
        lock (_gate)
        {
            var entry = _entries[key];
            if (--entry.Users > 0)
            {
                return;
            }

            _entries.Remove(key);
            var closing = CloseAsync(entry);
            if (!closing.IsCompleted)
            {
                _closing[key] = closing;
                _ = closing.ContinueWith(
                    _ => Forget(key, closing), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
    }

    private void Forget(TKey key, Task closed)
    {
        lock (_gate)
        {
            if (_closing.GetValueOrDefault(key) == closed)
            {
                _closing.Remove(key);
            }
        }
    }

    private async Task OpenAsync(Entry entry, Task earlierClosed)
    {
        await earlierClosed;
        entry.Subscription = await open(entry.Subject);
    }

    private static async Task CloseAsync(Entry entry)
    {
        try
        {
            await entry.Opened;
        }
        catch (RedisUnavailableException)
        {
            // Whoever waited for it to open has been told.
        }

        if (entry.Subscription is { } subscription)
        {
            await subscription.DisposeAsync();
        }
    }

    private sealed class Entry(TSubject subject)
    {
        public TSubject Subject => subject;

        public int Users { get; set; }

        public Task Opened { get; set; } = Task.CompletedTask;

        public IAsyncDisposable? Subscription { get; set; }
    }
}
