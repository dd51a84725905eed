using ChatServer.Relay;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>A connection that carries subscriptions until it first breaks.</summary>
internal sealed class SubscriptionLink : IDisposable
{
    private readonly ConnectionMultiplexer _multiplexer;
    private readonly Lock _gate = new();
    private Action? _broken;
    private bool _isBroken;

    public SubscriptionLink(ConnectionMultiplexer multiplexer)
    {
        _multiplexer = multiplexer;
        multiplexer.ConnectionFailed += (_, failure) =>
        {
            if (failure.ConnectionType == ConnectionType.Subscription)
            {
                Break();
            }
        };
    }

    public bool IsBroken
    {
        get
        {
            lock (_gate)
            {
                return _isBroken;
            }
        }
    }

    /// <exception cref="RelayUnavailableException">Redis has not confirmed the subscription.</exception>
    public async Task<ChannelMessageQueue> HearAsync(string channel, Action<ReadOnlyMemory<byte>> listener)
    {
        var queue = await RedisCalls.TryAsync(() => _multiplexer.GetSubscriber().SubscribeAsync(RedisChannel.Literal(channel)));
        queue.OnMessage(message => listener(message.Message));
        return queue;
    }

    /// <summary>Calls back once, at once where it is broken already.</summary>
    public void WhenBroken(Action broken)
    {
        lock (_gate)
        {
            if (!_isBroken)
            {
                _broken = broken;
                return;
            }
        }

        broken();
    }

    public void Dispose() => _multiplexer.Dispose();

    private void Break()
    {
        Action? broken;
        lock (_gate)
        {
            _isBroken = true;
            (broken, _broken) = (_broken, null);
        }

        broken?.Invoke();
    }
}
