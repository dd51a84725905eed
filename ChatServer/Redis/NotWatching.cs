namespace ChatServer.Redis;

/// <summary>A subscription to what nobody tells.</summary>
internal sealed class NotWatching : IAsyncDisposable
{
    public static readonly NotWatching Instance = new();

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;
}
