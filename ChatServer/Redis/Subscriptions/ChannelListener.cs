namespace ChatServer.Redis.Subscriptions;

/// <summary>Takes what was published on a channel; must hand over at once, and copy what it keeps.</summary>
internal delegate void ChannelHandler(ReadOnlySpan<byte> payload);

/// <summary>A listener of a channel, until it is disposed of.</summary>
/// <param name="channel">The channel's name in UTF-8.</param>
/// <param name="handler">Called on the subscriber connection's reading loop.</param>
internal sealed class ChannelListener(RedisSubscriptions subscriptions, byte[] channel, ChannelHandler handler) : IAsyncDisposable
{
    public byte[] Channel => channel;

    /// <summary>Another listener of the same channel.</summary>
    public ChannelListener? Next { get; set; }

    public void Hear(ReadOnlySpan<byte> payload) => handler(payload);

    public ValueTask DisposeAsync()
    {
        subscriptions.Remove(this);
        return ValueTask.CompletedTask;
    }
}
