using System.Buffers.Text;
using System.Text;
using StackExchange.Redis;

namespace ChatServer.Redis.Subscriptions;

/// <summary>
/// The node's subscriptions, over a connection of their own that is replaced as a whole when it breaks or brings nothing any more.
/// Subscribed is what Redis has confirmed on the present connection, nothing else. A probe published every second must come back; that
/// detects a connection that looks healthy and brings nothing.
/// </summary>
internal sealed partial class RedisSubscriptions(
    RedisOptions options, RedisConnection connection, TimeProvider time, ILogger<RedisSubscriptions> logger)
    : BackgroundService
{
    /// <summary>No probe follows on it.</summary>
    private const long NoProbe = -1;

    /// <summary>The first listener of each channel; guarded by the gate, in whose order subscribing and unsubscribing leave too.</summary>
    private readonly Dictionary<byte[], ChannelListener> _listeners = new(new ChannelNameComparer());
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _broken = new(0, 1);
    private readonly string _probeChannel = "chat:probe:" + Guid.NewGuid().ToString("N");
    private volatile SubscriberConnection? _subscriber;
    private Action? _restored;
    private long _probeSeenAt;
    private long _probesSent;
    private long _probeSeen = NoProbe;
    private bool _hasComplained;

    /// <summary>Whether there is a subscriber, as far as is known.</summary>
    public bool AreInForce => _subscriber is { IsBroken: false };

    /// <summary>
    /// Calls back after every interruption, once, when all subscriptions are in force again and a probe has come back over them: what was
    /// published meanwhile is lost here.
    /// </summary>
    public void WhenRestored(Action restored) => _restored += restored;

    /// <summary>Hears a channel, in the order in which Redis sends.</summary>
    /// <exception cref="RedisUnavailableException">The subscription is not in force.</exception>
    public async ValueTask<IAsyncDisposable> SubscribeAsync(string channel, ChannelHandler handler)
    {
        var added = Add(channel, handler);
        try
        {
            SubscriberConnection? subscriber;
            do
            {
                subscriber = _subscriber ?? throw new RedisUnavailableException("There is no connection for subscriptions now.");
                await SubscribeAsync(added.Channel, subscriber);
            }
            while (subscriber != _subscriber);
            return added;
        }
        catch
        {
            // Whatever went wrong, the caller has no subscription.
            Remove(added);
            throw;
        }
    }

    /// <summary>Ends a subscription: from now on its listener is not called, but by a call that is under way.</summary>
    public void Remove(ChannelListener ended)
    {
        lock (_gate)
        {
            var first = _listeners.GetValueOrDefault(ended.Channel);
            if (first != ended)
            {
                for (var other = first; other is not null; other = other.Next)
                {
                    other.Next = other.Next == ended ? ended.Next : other.Next;
                }
            }
            else if (ended.Next is { } next)
            {
                _listeners[ended.Channel] = next;
            }
            else
            {
                _listeners.Remove(ended.Channel);
                _subscriber?.Unsubscribe(ended.Channel);
            }
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Add(_probeChannel, OnProbe);
        try
        {
            await ReplaceAsync();
        }
        catch (RedisUnavailableException)
        {
            // The node starts all the same; the loop below keeps trying.
        }

        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _subscriber?.Dispose();
        _broken.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (_subscriber is not null && !await _broken.WaitAsync(RedisOptions.ProbeInterval, stoppingToken) && await ProbeAsync())
                {
                    continue;
                }

                await RedisRetry.UntilDoneAsync(ReplaceAsync, () => RedisOptions.ReconnectPause, time, cancellation: stoppingToken);
                stoppingToken.ThrowIfCancellationRequested();

                // At once: when it comes back, the logs are looked into.
                await ProbeAsync();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // A bug of ours must be seen, and must not leave the node without subscriptions.
                Log.Failed(logger, exception);
                await Task.Delay(RedisOptions.ReconnectPause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>False if the subscriber no longer delivers.</returns>
    private async Task<bool> ProbeAsync()
    {
#if FAULT_INJECTION
        if (FaultInjection.Disables("gap") || FaultInjection.Disables("probe"))
        {
            return true;
        }

#endif
        try
        {
            await connection.Multiplexer.GetDatabase()
                .PublishAsync(RedisChannel.Literal(_probeChannel), ++_probesSent).WaitAsync(RedisOptions.AnswerWithin, time);
        }
        catch (Exception exception) when (RedisFaults.IsUnavailable(exception))
        {
            // Redis itself is out of reach: that says nothing about the subscriber, whose time limit starts when Redis is back.
            Volatile.Write(ref _probeSeenAt, time.GetTimestamp());
            return true;
        }

        if (time.GetElapsedTime(Volatile.Read(ref _probeSeenAt)) < RedisOptions.ProbeLostAfter)
        {
            return true;
        }

        Log.Silent(logger, RedisOptions.ProbeLostAfter.TotalSeconds);
        return false;
    }

    /// <summary>
    /// A probe that directly follows the last one shows that nothing was lost in between. Any other one, the first on a subscriber too,
    /// shows that something may have been lost and that the subscriber delivers again: time to read the logs, and
    /// not before, since what is published until then might be lost as well.
    /// </summary>
    private void OnProbe(ReadOnlySpan<byte> number)
    {
        Volatile.Write(ref _probeSeenAt, time.GetTimestamp());
        if (!Utf8Parser.TryParse(number, out long probe, out _))
        {
            return;
        }

        if (Interlocked.Exchange(ref _probeSeen, probe) != probe - 1)
        {
            _restored?.Invoke();
        }
    }

    /// <exception cref="RedisUnavailableException">There is no new connection now.</exception>
    private async Task ReplaceAsync()
    {
        var before = _subscriber;
        SubscriberConnection? subscriber = null;
        try
        {
            subscriber = await SubscriberConnection.ConnectAsync(options, Hear);
            _subscriber = subscriber;

            foreach (var some in Channels.Chunk(RedisOptions.SubscribeAtOnce))
            {
                await Task.WhenAll(some.Select(channel => SubscribeAsync(channel, subscriber)));
            }

            // The new subscriber counts as dead, like the old one, until a probe has shown otherwise. Not before: a late probe would have the
            // logs read while there are still channels that nobody hears.
            Volatile.Write(ref _probeSeen, NoProbe);
            Volatile.Write(ref _probeSeenAt, time.GetTimestamp());
            _hasComplained = false;
            subscriber.WhenBroken(() => Break(subscriber));
        }
        catch (RedisUnavailableException exception)
        {
            if (!_hasComplained)
            {
                Log.NotConnected(logger, exception.Message);
                _hasComplained = true;
            }

            subscriber?.Dispose();
            throw;
        }
        finally
        {
            if (subscriber is not null)
            {
                // Also one that looks healthy and is deaf, and has a successor that did not get far.
                before?.Dispose();
            }
        }
    }

    private byte[][] Channels
    {
        get
        {
            lock (_gate)
            {
                return [.. _listeners.Keys];
            }
        }
    }

    private ChannelListener Add(string channel, ChannelHandler handler)
    {
        var added = new ChannelListener(this, Encoding.UTF8.GetBytes(channel), handler);
        lock (_gate)
        {
            added.Next = _listeners.GetValueOrDefault(added.Channel);
            _listeners[added.Channel] = added;
        }

        return added;
    }

    private Task SubscribeAsync(byte[] channel, SubscriberConnection subscriber)
    {
        lock (_gate)
        {
            // By now nobody may want it any more.
            return _listeners.ContainsKey(channel) ? subscriber.SubscribeAsync(channel) : Task.CompletedTask;
        }
    }

    private void Hear(SubscriberConnection subscriber, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload)
    {
        ChannelListener? listener = null;
        lock (_gate)
        {
            if (subscriber == _subscriber)
            {
                _listeners.GetAlternateLookup<ReadOnlySpan<byte>>().TryGetValue(channel, out listener);
            }
        }

        for (; listener is not null; listener = listener.Next)
        {
            try
            {
                listener.Hear(payload);
            }
            catch (Exception exception)
            {
                // A bug of ours must be seen, and must not keep the message from the other listeners.
                Log.ListenerFailed(logger, exception, Encoding.UTF8.GetString(channel));
            }
        }
    }

    private void Break(SubscriberConnection subscriber)
    {
        if (subscriber == _subscriber && _broken.CurrentCount == 0)
        {
            Log.Broken(logger);
            _broken.Release();
        }
    }

    private static partial class Log
    {
        [LoggerMessage(200, LogLevel.Warning, "The subscriber connection to Redis broke; a new one is opened.")]
        public static partial void Broken(ILogger logger);

        [LoggerMessage(201, LogLevel.Warning,
            "The subscriber connection to Redis looks healthy but has delivered nothing for {Seconds} s; a new one is "
            + "opened.")]
        public static partial void Silent(ILogger logger, double seconds);

        [LoggerMessage(202, LogLevel.Warning, "The subscriber connection to Redis cannot be opened; the node keeps trying. Reason: {Why}")]
        public static partial void NotConnected(ILogger logger, string why);

        [LoggerMessage(203, LogLevel.Error, "Unexpected error while watching the subscriber connection; the node goes on.")]
        public static partial void Failed(ILogger logger, Exception exception);

        [LoggerMessage(204, LogLevel.Error, "Unexpected error while handling a message on channel {Channel}; the message is dropped.")]
        public static partial void ListenerFailed(ILogger logger, Exception exception, string channel);
    }
}
