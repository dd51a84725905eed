using System.Net;
using System.Net.Sockets;

namespace Compat.Tests.Support;

/// <summary>
/// A real TCP proxy in front of a server, with the faults of a network: it stalls, cuts connections off in mid-reply, or lets bytes
/// through in crumbs. What it is told applies to open connections too.
/// </summary>
internal sealed class TcpProxy : IAsyncDisposable
{
    private readonly EndPoint _target;
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly List<Socket> _open = [];
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _accepting;
    private TaskCompletionSource _stall = Passing();
    private long _cutAfter = long.MaxValue;
    private int _largestPiece = 64 * 1024;
    private long _toServer;

    public TcpProxy(EndPoint target)
    {
        _target = target;

        // A small window, so that what the proxy does not take stays with the client.
        _listener.ReceiveBufferSize = 16 * 1024;
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(16);
        _accepting = AcceptAsync();
    }

    public EndPoint EndPoint => _listener.LocalEndPoint!;

    /// <summary>Bytes that went to the server so far.</summary>
    public long ToServer => Volatile.Read(ref _toServer);

    /// <summary>From now on bytes pass in pieces of 1 to this many, each a write of its own.</summary>
    public int LargestPiece
    {
        get => Volatile.Read(ref _largestPiece);
        set => Volatile.Write(ref _largestPiece, value);
    }

    /// <summary>Lets nothing more through to the server until <see cref="Resume"/>.</summary>
    public void Stall() => Volatile.Write(ref _stall, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));

    /// <summary>Ends a stall.</summary>
    public void Resume() => Volatile.Read(ref _stall).TrySetResult();

    /// <summary>Cuts the connection that first gets this many further bytes from the server, with a reset; once.</summary>
    public void CutAfter(long bytes) => Volatile.Write(ref _cutAfter, bytes);

    public async ValueTask DisposeAsync()
    {
        Resume();
        await _ended.CancelAsync();
        _listener.Dispose();
        lock (_open)
        {
            _open.ForEach(socket => socket.Dispose());
        }

        await _accepting.WaitAsync(Limits.Short);
        _ended.Dispose();
    }

    private static TaskCompletionSource Passing()
    {
        var source = new TaskCompletionSource();
        source.SetResult();
        return source;
    }

    private async Task AcceptAsync()
    {
        var connections = new List<Task>();
        try
        {
            while (true)
            {
                connections.Add(ServeAsync(await _listener.AcceptAsync(_ended.Token)));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            await Task.WhenAll(connections);
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using var near = client;
        client.NoDelay = true;
        lock (_open)
        {
            _open.Add(client);
            _open.Add(server);
        }

        try
        {
            await server.ConnectAsync(_target, _ended.Token);
            await Task.WhenAll(PumpAsync(client, server, toServer: true), PumpAsync(server, client, toServer: false));
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // One side is gone; the other one follows as both are disposed.
        }
    }

    private async Task PumpAsync(Socket from, Socket to, bool toServer)
    {
        var buffer = new byte[64 * 1024];
        var sizes = new Random(7);
        int received;
        while ((received = await from.ReceiveAsync(buffer, _ended.Token)) > 0)
        {
            if (toServer)
            {
                await Volatile.Read(ref _stall).Task;
            }
            else if (Interlocked.Add(ref _cutAfter, -received) < 0)
            {
                Volatile.Write(ref _cutAfter, long.MaxValue);
                await to.SendAsync(buffer.AsMemory(0, received / 2), _ended.Token);
                to.LingerState = new LingerOption(enable: true, seconds: 0);
                to.Dispose();
                from.Dispose();
                return;
            }

            for (var sent = 0; sent < received;)
            {
                var piece = Math.Min(received - sent, LargestPiece < 100 ? sizes.Next(1, LargestPiece + 1) : LargestPiece);
                sent += await to.SendAsync(buffer.AsMemory(sent, piece), _ended.Token);
            }

            if (toServer)
            {
                Interlocked.Add(ref _toServer, received);
            }
        }

        to.Shutdown(SocketShutdown.Send);
    }
}
