using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>One channel's listener, on one link at a time.</summary>
internal sealed class ChannelListener(string channel, Action<ReadOnlyMemory<byte>> listener, Action<ChannelListener> forget) : IAsyncDisposable
{
    private readonly SemaphoreSlim _moving = new(1);
    private SubscriptionLink? _on;
    private ChannelMessageQueue? _queue;
    private bool _ended;

    public async Task MoveToAsync(SubscriptionLink link)
    {
        await _moving.WaitAsync();
        try
        {
            if (_on != link && !_ended)
            {
                // The old link's queue dies with the old link.
                _queue = await link.HearAsync(channel, listener);
                _on = link;
            }
        }
        finally
        {
            _moving.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        forget(this);
        await _moving.WaitAsync();
        try
        {
            _ended = true;
            if (_queue is not null)
            {
                await _queue.UnsubscribeAsync().WaitAsync(RedisOptions.AnswerWithin);
            }
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            // A subscription that ends with its link has ended too.
        }
        finally
        {
            _moving.Release();
        }
    }
}
