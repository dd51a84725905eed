using System.Net;
using System.Net.Sockets;

namespace ChatServer.Tests.Support;

/// <summary>
/// A TCP proxy on a free loopback port in front of a server, with the faults of a network: it cuts, stalls, slows down, refuses, and, in
/// front of Redis, swallows the messages of subscriptions. What it is told applies to open connections too, until <see cref="Resume"/>.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private const int ChunkBytes = 16 * 1024;

    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);

    private readonly int _target;
    private readonly bool _isRedis;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly HashSet<Link> _links = [];
    private readonly Lock _gate = new();
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _accepting;
    private volatile TaskCompletionSource? _stall;
    private volatile bool _refuses;
    private volatile bool _swallows;
    private volatile bool _swallowsConfirmations;
    private volatile int _delay;

    /// <param name="target">The server's port on the loopback address.</param>
    /// <param name="isRedis">Whether the server speaks RESP, so that <see cref="SwallowsMessages"/> works.</param>
    public TcpProxy(int target, bool isRedis = false)
    {
        (_target, _isRedis) = (target, isRedis);
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(64);
        Port = ((IPEndPoint)_listener.LocalEndPoint!).Port;
        _accepting = AcceptAsync();
    }

    public int Port { get; }

    /// <summary>How long each chunk waits before it goes on, in either direction.</summary>
    public TimeSpan Delay
    {
        get => TimeSpan.FromMilliseconds(_delay);
        set => _delay = (int)value.TotalMilliseconds;
    }

    /// <summary>Whether new connections are reset at once; open ones stay.</summary>
    public bool Refuses
    {
        get => _refuses;
        set => _refuses = value;
    }

    /// <summary>Whether what Redis publishes is lost, while commands, confirmations and pings are answered.</summary>
    public bool SwallowsMessages
    {
        get => _swallows;
        set => _swallows = value;
    }

    /// <summary>Whether Redis's confirmations of subscriptions are lost.</summary>
    public bool SwallowsConfirmations
    {
        get => _swallowsConfirmations;
        set => _swallowsConfirmations = value;
    }

    /// <summary>Connections that are open now.</summary>
    public int Open
    {
        get
        {
            lock (_gate)
            {
                return _links.Count;
            }
        }
    }

    /// <summary>Resets all connections, whatever they carry.</summary>
    public void Cut()
    {
        lock (_gate)
        {
            foreach (var link in _links)
            {
                link.Cut();
            }
        }
    }

    /// <summary>Forwards nothing more, in either direction; connections stay open and new ones are accepted.</summary>
    public void Stall() => _stall ??= new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Ends every fault: what was held back goes on.</summary>
    public void Resume()
    {
        (_refuses, _swallows, _swallowsConfirmations, _delay) = (false, false, false, 0);
        var stall = _stall;
        _stall = null;
        stall?.TrySetResult();
    }

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        _listener.Dispose();
        Cut();
        await _accepting.WaitAsync(EndWithin);
        _ended.Dispose();
    }

    private async Task AcceptAsync()
    {
        var serving = new List<Task>();
        try
        {
            while (true)
            {
                var near = await _listener.AcceptAsync(_ended.Token);
                serving.RemoveAll(task => task.IsCompleted);
                serving.Add(ServeAsync(new Link(near)));
            }
        }
        catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // The proxy ends.
        }

        await Task.WhenAll(serving);
    }

    private async Task ServeAsync(Link link)
    {
        using (link)
        {
            if (_refuses)
            {
                link.Cut();
                return;
            }

            lock (_gate)
            {
                _links.Add(link);
            }

            try
            {
                await link.Far.ConnectAsync(IPAddress.Loopback, _target, _ended.Token);
                await Task.WhenAll(
                    PumpAsync(link, link.Near, link.Far, null), PumpAsync(link, link.Far, link.Near, _isRedis ? new RespFilter() : null));
            }
            catch (Exception exception) when (exception is OperationCanceledException or SocketException or ObjectDisposedException)
            {
                // One side is gone, or was cut: the other one learns it by a reset.
                link.Cut();
            }
            finally
            {
                lock (_gate)
                {
                    _links.Remove(link);
                }
            }
        }
    }

    private async Task PumpAsync(Link link, Socket from, Socket to, RespFilter? filter)
    {
        try
        {
            var buffer = new byte[ChunkBytes];
            int count;
            while ((count = await from.ReceiveAsync(buffer, link.IsCut)) > 0)
            {
                ReadOnlyMemory<byte> chunk = filter is null
                    ? buffer.AsMemory(0, count)
                    : filter.Pass(buffer.AsSpan(0, count), _swallows, _swallowsConfirmations);
                while (_stall is { } stall)
                {
                    await stall.Task.WaitAsync(link.IsCut);
                }

                if (_delay > 0)
                {
                    await Task.Delay(_delay, link.IsCut);
                }

                while (!chunk.IsEmpty)
                {
                    chunk = chunk[await to.SendAsync(chunk, link.IsCut)..];
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch
        {
            // Whatever ended one direction ends the other one; the caller sees the cause.
            link.Cut();
            throw;
        }
    }

    /// <summary>A client's connection and the one to the server that belongs to it.</summary>
    private sealed class Link : IDisposable
    {
        private readonly CancellationTokenSource _cut = new();

        public Link(Socket near)
        {
            Near = near;
            Near.NoDelay = Far.NoDelay = true;
            IsCut = _cut.Token;
        }

        public Socket Near { get; }

        public Socket Far { get; } = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);

        public CancellationToken IsCut { get; }

        public void Cut()
        {
            try
            {
                Near.LingerState = Far.LingerState = new LingerOption(enable: true, seconds: 0);
            }
            catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
            {
                // It is closed already.
            }

            Near.Dispose();
            Far.Dispose();
            _cut.Cancel();
        }

        /// <summary>
        /// The token source is never waited on by handle, so that it may be left to the collector: a cut may come at any time.
        /// </summary>
        public void Dispose()
        {
            Near.Dispose();
            Far.Dispose();
        }
    }
}
