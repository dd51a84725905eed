using System.Buffers;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Text.Json;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// A client by the contract that never gives up: it comes back to another node with what it has seen, sends again under the same identifier
/// what has no ack, and writes down everything that happens to it. It knows nothing of the faults around it.
/// </summary>
internal sealed class FaultClient : IAsyncDisposable
{
    private static readonly TimeSpan ConnectWithin = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan EndWithin = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Step = TimeSpan.FromMilliseconds(10);

    /// <summary>Small, so that one who does not read is felt soon.</summary>
    private const int ReceiveBufferBytes = 32 * 1024;

    private readonly IReadOnlyList<Uri> _nodes;
    private readonly HttpMessageInvoker _http;
    private readonly Random _random;
    private readonly ClientState _state;
    private readonly CancellationTokenSource _ended = new();
    private readonly Task _living;
    private volatile ClientWebSocket? _socket;
    private volatile string? _token;
    private volatile TaskCompletionSource? _pause;
    private int _connections;
    private int _node;

    /// <param name="interval">How long it waits between two messages.</param>
    /// <param name="certificate">The nodes', where they are reached over TLS.</param>
    public FaultClient(Persona who, string token, IReadOnlyList<Uri> nodes, TimeSpan interval, int seed, DevCertificate certificate)
    {
        (Who, _token, _nodes, _random) = (who, token, nodes, new Random(seed));
        var handler = certificate.Handler();
        handler.ConnectCallback = ConnectAsync;
        _http = new(handler, disposeHandler: true);
        _state = new ClientState(who, interval, new Random(seed));
        _node = _random.Next(nodes.Count);
        _living = LiveAsync();
    }

    public Persona Who { get; }

    public ClientHistory History => _state.History;

    /// <summary>Whether it is in all its rooms.</summary>
    public bool IsHome => _state.IsHome;

    /// <summary>Messages without an ack.</summary>
    public int Unacked => _state.Unacked;

    public bool Sends
    {
        set => _state.Sends = value;
    }

    /// <summary>Up to where it has seen a room.</summary>
    public long Since(long room) => _state.Since(room);

    /// <summary>Messages that it has an ack for.</summary>
    public IReadOnlyList<Acked> Acks => _state.Acks;

    public bool IsIn(long room) => _state.IsIn(room);

    /// <summary>Sends many messages at once.</summary>
    public void Burst(long room, int count, bool areLarge) => _state.Burst(room, count, areLarge);

    /// <summary>Reads nothing for a while.</summary>
    public async Task PauseAsync(TimeSpan time)
    {
        var pause = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _state.Note(new Reads(Again: false, _connections));
        _pause = pause;
        await Task.Delay(time, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _pause = null;
        _state.Note(new Reads(Again: true, _connections));
        pause.SetResult();
    }

    /// <summary>Its session is about to end: it does not come back before it has another one.</summary>
    public void LogOut()
    {
        _state.Note(new Logs(In: false));
        _token = null;
    }

    /// <summary>It has a new session; a connection under the old one is gone.</summary>
    public async Task LogInAsync(string token)
    {
        Drop();
        await Eventually.TrueAsync(() => _socket is null, EndWithin, () => "the old connection lives on");
        _state.Note(new Logs(In: true));
        _token = token;
    }

    /// <summary>Drops its connection without a close frame, like a browser that loses its network.</summary>
    public void Drop() => _socket?.Abort();

    /// <summary>Its state in a line, for whoever waits for it.</summary>
    public override string ToString() => _state.ToString();

    public async ValueTask DisposeAsync()
    {
        await _ended.CancelAsync();
        Drop();
        await _living.WaitAsync(EndWithin);
        _http.Dispose();
        _ended.Dispose();
    }

    private async Task LiveAsync()
    {
        while (!_ended.IsCancellationRequested)
        {
            if (_token is not { } token)
            {
                await Task.Delay(Step, _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                continue;
            }

            try
            {
                using var socket = new ClientWebSocket();
                socket.Options.SetRequestHeader("Origin", "http://localhost");
                socket.Options.KeepAliveInterval = TimeSpan.Zero;
                await ConnectAsync(socket, token);
                var receiving = ReceiveAsync(socket);
                await Task.WhenAll(receiving, SendAsync(socket, receiving));
            }
            catch (Exception exception)
                when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException or IOException)
            {
                // The node is away, or was taken away: there are others.
            }

            _socket = null;
            _state.OnEnded();
            _node = (_node + _random.Next(1, Math.Max(2, _nodes.Count))) % _nodes.Count;
            await Task.Delay(_random.Next(20, 500), _ended.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task ConnectAsync(ClientWebSocket socket, string token)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(_ended.Token);
        patience.CancelAfter(ConnectWithin);
        _socket = socket;
        await socket.ConnectAsync(_nodes[_node], _http, patience.Token);
        await socket.SendAsync(_state.Auth(token, ++_connections), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
    }

    private static async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext to, CancellationToken cancellation)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = ReceiveBufferBytes };
        try
        {
            await socket.ConnectAsync(to.DnsEndPoint, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            // Nobody else holds it.
            socket.Dispose();
            throw;
        }
    }

    /// <summary>One frame after the other, until the connection has ended.</summary>
    private async Task SendAsync(ClientWebSocket socket, Task receiving)
    {
        while (!receiving.IsCompleted)
        {
            while (_state.NextFrame() is { } frame)
            {
                await socket.SendAsync(frame, WebSocketMessageType.Text, endOfMessage: true, _ended.Token);
            }

            await Task.WhenAny(receiving, Task.Delay(Step, _ended.Token));
        }
    }

    private async Task ReceiveAsync(ClientWebSocket socket)
    {
        var message = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                await (_pause?.Task ?? Task.CompletedTask).WaitAsync(_ended.Token);
                var part = await socket.ReceiveAsync(message.GetMemory(16 * 1024), _ended.Token);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    _state.OnClosed((int)socket.CloseStatus!.Value);
                    return;
                }

                message.Advance(part.Count);
                if (part.EndOfMessage)
                {
                    using var frame = JsonDocument.Parse(message.WrittenMemory);
                    _state.OnFrame(frame.RootElement, _nodes[_node].Authority);
                    message.ResetWrittenCount();
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException or ObjectDisposedException)
        {
            _state.OnClosed(1006);
        }
        finally
        {
            // A server that was told to close and does not follow must not keep the sender.
            socket.Abort();
        }
    }
}
