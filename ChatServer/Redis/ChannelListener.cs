namespace ChatServer.Redis;

/// <summary>Somebody who hears a channel until he disposes this.</summary>
/// <param name="channel">The channel's name in UTF-8.</param>
/// <param name="listener">Called on the link's reading loop.</param>
internal sealed class ChannelListener(RedisSubscriptions subscriptions, byte[] channel, Action<ReadOnlyMemory<byte>> listener) : IAsyncDisposable
{
    public byte[] Channel => channel;

    /// <summary>Another listener of the same channel.</summary>
    public ChannelListener? Next { get; set; }

    public void Hear(ReadOnlyMemory<byte> payload) => listener(payload);

    public ValueTask DisposeAsync()
    {
        subscriptions.Remove(this);
        return ValueTask.CompletedTask;
    }
}
