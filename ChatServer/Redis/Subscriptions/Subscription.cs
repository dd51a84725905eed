namespace ChatServer.Redis.Subscriptions;

/// <summary>Something that is heard until this is disposed of.</summary>
/// <param name="endAsync">Ends it; called once.</param>
internal sealed class Subscription(Func<ValueTask> endAsync) : IAsyncDisposable
{
    /// <summary>A subscription to something that is never announced.</summary>
    public static readonly Subscription None = new(static () => { });

    private Func<ValueTask>? _endAsync = endAsync;

    /// <param name="end">Ends it; called once.</param>
    public Subscription(Action end)
        : this(() =>
        {
            end();
            return ValueTask.CompletedTask;
        })
    {
    }

    public ValueTask DisposeAsync() => Interlocked.Exchange(ref _endAsync, null)?.Invoke() ?? ValueTask.CompletedTask;
}
