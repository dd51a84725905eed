using System.Buffers.Text;
using System.Globalization;
using System.Text;
using ChatServer.Relay;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>
/// The node's subscriptions, over a link of their own that is replaced as a whole when it breaks or goes deaf: subscribed is what Redis has confirmed on the
/// present link, nothing else. A probe published every second must come back; a link that looks healthy and brings nothing is found out by that.
/// </summary>
internal sealed partial class RedisSubscriptions(RedisOptions options, RedisConnection connection, TimeProvider time, ILogger<RedisSubscriptions> logger)
    : BackgroundService
{
    private const int SubscribeAtOnce = 500;

    private static readonly TimeSpan ProbeEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ProbeLostAfter = TimeSpan.FromSeconds(2.5);
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromMilliseconds(250);

    /// <summary>The first listener of each channel; guarded by the gate, in whose order subscribing and unsubscribing leave too.</summary>
    private readonly Dictionary<byte[], ChannelListener> _listeners = new(new ChannelNameComparer());
    private readonly Lock _gate = new();
    private readonly SemaphoreSlim _broken = new(0, 1);
    private readonly string _probeChannel = "chat:probe:" + Guid.NewGuid().ToString("N");
    private volatile SubscriptionLink? _link;
    private Action? _restored;
    private long _probeSeenAt;
    private long _probesSent;
    private long _probeSeen;
    private bool _hasComplained;

    /// <summary>Whether there is a link, as far as is known.</summary>
    public bool AreInForce => _link is { IsBroken: false };

    /// <summary>Calls back after every interruption, when all subscriptions are in force again: what was published meanwhile is lost here.</summary>
    public void WhenRestored(Action restored) => _restored += restored;

    /// <summary>Hears a channel, in the order in which Redis sends.</summary>
    /// <exception cref="RelayUnavailableException">The subscription is not in force.</exception>
    public async ValueTask<IAsyncDisposable> SubscribeAsync(string channel, ChannelHandler handler)
    {
        var added = Add(channel, handler);
        try
        {
            SubscriptionLink? link;
            do
            {
                link = _link ?? throw new RelayUnavailableException("There is no connection for subscriptions now.");
                await SubscribeAsync(added.Channel, link);
            }
            while (link != _link);
            return added;
        }
        catch
        {
            // Whatever went wrong: nobody has this subscription.
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
                _link?.Unsubscribe(ended.Channel);
            }
        }
    }

    public override async Task StartAsync(CancellationToken cancellationToken)
    {
        Add(_probeChannel, OnProbe);
        await TryReplaceAsync();
        await base.StartAsync(cancellationToken);
    }

    public override void Dispose()
    {
        base.Dispose();
        _link?.Dispose();
        _broken.Dispose();
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                if (_link is not null && !await _broken.WaitAsync(ProbeEvery, stoppingToken) && await ProbeAsync())
                {
                    continue;
                }

                while (!await TryReplaceAsync())
                {
                    await Task.Delay(TryAgainAfter, time, stoppingToken);
                }

                _restored?.Invoke();
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception exception)
            {
                // A defect of ours must be seen, and must not leave the node deaf.
                LogFailed(exception);
                await Task.Delay(TryAgainAfter, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <returns>False where the link has gone deaf.</returns>
    private async Task<bool> ProbeAsync()
    {
#if SABOTAGE
        if (Sabotage.Of("gap") || Sabotage.Of("probe"))
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
            // Redis itself is out of reach: that says nothing about the link, and its time begins when Redis is back.
            Volatile.Write(ref _probeSeenAt, time.GetTimestamp());
            return true;
        }

        if (time.GetElapsedTime(Volatile.Read(ref _probeSeenAt)) < ProbeLostAfter)
        {
            return true;
        }

        LogDeaf(ProbeLostAfter.TotalSeconds);
        return false;
    }

    /// <summary>
    /// A probe that follows on the last one says that nothing was swallowed in between. Any other one, the first on a link too, says that something may have been,
    /// and that the link brings again what is published: time to look into the logs.
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

    private async Task<bool> TryReplaceAsync()
    {
        SubscriptionLink? link = null;
        try
        {
            link = await SubscriptionLink.ConnectAsync(options, Hear);
            Volatile.Write(ref _probeSeenAt, time.GetTimestamp());
            var before = _link;
            _link = link;

            // The new link is as deaf as the old one until a probe has shown otherwise.
            Volatile.Write(ref _probeSeen, -1);
            foreach (var some in Channels.Chunk(SubscribeAtOnce))
            {
                await Task.WhenAll(some.Select(channel => SubscribeAsync(channel, link)));
            }

            before?.Dispose();
            _hasComplained = false;
            link.WhenBroken(() => Break(link));
            return true;
        }
        catch (RelayUnavailableException exception)
        {
            if (!_hasComplained)
            {
                LogNoLink(exception.Message);
                _hasComplained = true;
            }

            link?.Dispose();
            return false;
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

    private Task SubscribeAsync(byte[] channel, SubscriptionLink link)
    {
        lock (_gate)
        {
            // Nobody may want it any more by now.
            return _listeners.ContainsKey(channel) ? link.SubscribeAsync(channel) : Task.CompletedTask;
        }
    }

    private void Hear(SubscriptionLink link, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload)
    {
        ChannelListener? listener = null;
        lock (_gate)
        {
            if (link == _link)
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
                // A defect of ours must be seen, and is no reason to let the others go without.
                LogListenerFailed(exception, Encoding.UTF8.GetString(channel));
            }
        }
    }

    private void Break(SubscriptionLink link)
    {
        if (link == _link && _broken.CurrentCount == 0)
        {
            LogBroken();
            _broken.Release();
        }
    }

    [LoggerMessage(210, LogLevel.Warning, "The connection for subscriptions broke; it is replaced.")]
    private partial void LogBroken();

    [LoggerMessage(211, LogLevel.Warning, "The connection for subscriptions has brought nothing for {Seconds} s though it looks healthy; it is replaced.")]
    private partial void LogDeaf(double seconds);

    [LoggerMessage(214, LogLevel.Error, "What came on channel {Channel} could not be handled, for a reason that lies here.")]
    private partial void LogListenerFailed(Exception exception, string channel);

    [LoggerMessage(213, LogLevel.Error, "Looking after the connection for subscriptions failed for a reason that lies here; it goes on.")]
    private partial void LogFailed(Exception exception);

    [LoggerMessage(212, LogLevel.Warning, "No connection for subscriptions: {Why}")]
    private partial void LogNoLink(string why);
}
