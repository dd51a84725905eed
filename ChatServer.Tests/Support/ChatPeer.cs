using System.Buffers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Threading.Channels;

namespace ChatServer.Tests.Support;

/// <summary>A client that knows nothing but the contract: an independent WebSocket (System.Net.WebSockets), JSON out, JSON in.</summary>
internal sealed class ChatPeer : IAsyncDisposable
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly ClientWebSocket _socket;
    private readonly Channel<JsonObject> _frames = Channel.CreateUnbounded<JsonObject>();
    private readonly TaskCompletionSource<(int Code, string Reason)> _closed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly Channel<JsonObject> _told = Channel.CreateUnbounded<JsonObject>();
    private readonly Task _receiving;

    private ChatPeer(ClientWebSocket socket)
    {
        _socket = socket;
        _receiving = ReceiveAsync();
    }

    /// <summary>The close code and reason that the server gave; 1006 if it gave none.</summary>
    public Task<(int Code, string Reason)> Closed => _closed.Task.WaitAsync(Patience);

    public bool HasClosed => _closed.Task.IsCompleted;

    public ClientWebSocket Socket => _socket;

    /// <summary>Opens a socket and says nothing yet.</summary>
    public static async Task<ChatPeer> OpenAsync(
        Uri url, string? origin = "http://localhost", Action<ClientWebSocketOptions>? configure = null, HttpMessageInvoker? invoker = null)
    {
        var socket = new ClientWebSocket();
        if (origin is not null)
        {
            socket.Options.SetRequestHeader("Origin", origin);
        }

        socket.Options.KeepAliveInterval = TimeSpan.Zero;
        configure?.Invoke(socket.Options);
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await socket.ConnectAsync(url, invoker, patience.Token);
            return new ChatPeer(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Opens a socket, authenticates and joins rooms.</summary>
    public static async Task<ChatPeer> LoginAsync(Uri url, string token, params long[] rooms)
    {
        var peer = await OpenAsync(url);
        await peer.SendAsync(new { type = "auth", token, rooms = rooms.Select(room => new { room_id = room }) });
        (await peer.NextAsync("auth"))["success"]!.GetValue<bool>().Should().BeTrue();
        foreach (var _ in rooms)
        {
            (await peer.UntilAsync(frame => frame.Type() == "joined")).Should().ContainSingle("each room is joined");
        }

        return peer;
    }

    public Task SendAsync(object frame) => SendTextAsync(JsonSerializer.Serialize(frame));

    public async Task SendTextAsync(string text) => await SendBytesAsync(Encoding.UTF8.GetBytes(text), WebSocketMessageType.Text);

    public async Task SendBytesAsync(byte[] bytes, WebSocketMessageType type)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _socket.SendAsync(bytes, type, endOfMessage: true, patience.Token);
    }

    public Task ChatAsync(long room, string identifier, string body) => SendAsync(new { type = "chat", room_id = room, identifier, body });

    /// <summary>The next frame, which must be of that type.</summary>
    public async Task<JsonObject> NextAsync(string type)
    {
        var frame = await NextAsync();
        frame["type"]!.GetValue<string>().Should().Be(type, "the next frame is {0}", frame.ToJsonString());
        return frame;
    }

    /// <summary>The next frame. What persistence tells, at its own time, is none of them: <see cref="ToldAsync"/> has it.</summary>
    public Task<JsonObject> NextAsync() => TakeAsync(_frames.Reader);

    /// <summary>The next frame of that type; others are passed over.</summary>
    public async Task<JsonObject> FindAsync(string type) => (await UntilAsync(frame => frame.Type() == type))[^1];

    /// <summary>
    /// The next frame of that type (<c>info_chat</c>, <c>saved</c>, or <c>info</c> for <c>not_saved</c>) that persistence has told; others
    /// are passed over.
    /// </summary>
    public async Task<JsonObject> ToldAsync(string type)
    {
        while (true)
        {
            var frame = await TakeAsync(_told.Reader);
            if (frame.Type() == type)
            {
                return frame;
            }
        }
    }

    /// <summary>The frames up to the one that is meant.</summary>
    public async Task<IReadOnlyList<JsonObject>> UntilAsync(Func<JsonObject, bool> isLast)
    {
        var frames = new List<JsonObject>();
        do
        {
            frames.Add(await NextAsync());
        }
        while (!isLast(frames[^1]));
        return frames;
    }

    /// <summary>The frames up to the one with the message of that identifier.</summary>
    public Task<IReadOnlyList<JsonObject>> UntilMessageAsync(string identifier) =>
        UntilAsync(frame => frame.Type() == "chat" && frame.Messages().Any(message => message.Text("identifier") == identifier));

    /// <summary>Sends a message and waits for its ack.</summary>
    public async Task<JsonObject> SayAsync(long room, string identifier, string body = "hello")
    {
        await ChatAsync(room, identifier, body);
        return (await UntilAsync(frame => frame.Type() == "ack" && frame.Text("identifier") == identifier))[^1];
    }

    /// <summary>The next error, which must have that code.</summary>
    public async Task<JsonObject> ErrorAsync(string code)
    {
        var frame = await NextAsync("info");
        frame["success"]!.GetValue<bool>().Should().BeFalse();
        frame["code"]!.GetValue<string>().Should().Be(code, "the error is {0}", frame.ToJsonString());
        frame["message"]!.GetValue<string>().Should().NotBeEmpty();
        return frame;
    }

    /// <summary>
    /// What has come, and was not taken yet, when a ping sent now is answered: whatever was sent to this connection before has arrived.
    /// </summary>
    public async Task<IReadOnlyList<JsonObject>> DrainAsync()
    {
        await SendAsync(new { type = "ping" });
        return [.. (await UntilAsync(frame => frame.Type() == "pong")).SkipLast(1)];
    }

    /// <summary>As <see cref="DrainAsync"/>, and what persistence told.</summary>
    public async Task<IReadOnlyList<JsonObject>> DrainAllAsync()
    {
        var frames = new List<JsonObject>(await DrainAsync());
        while (_told.Reader.TryRead(out var told))
        {
            frames.Add(told);
        }

        return frames;
    }

    /// <summary>Whatever has come and was not taken yet.</summary>
    public bool TryNext(out JsonObject? frame) => _frames.Reader.TryRead(out frame);

    public async ValueTask DisposeAsync()
    {
        try
        {
            using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(2));
            if (_socket.State == WebSocketState.Open)
            {
                await _socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, null, patience.Token);
            }

            await _receiving.WaitAsync(patience.Token);
        }
        catch (Exception exception) when (exception is WebSocketException or OperationCanceledException)
        {
            _socket.Abort();
        }

        _socket.Dispose();
    }

    private async Task ReceiveAsync()
    {
        var buffer = new byte[16 * 1024];
        var message = new ArrayBufferWriter<byte>();
        try
        {
            while (true)
            {
                var part = await _socket.ReceiveAsync(buffer.AsMemory(), CancellationToken.None);
                if (part.MessageType == WebSocketMessageType.Close)
                {
                    _closed.TrySetResult(((int)_socket.CloseStatus!.Value, _socket.CloseStatusDescription ?? ""));
                    if (_socket.State == WebSocketState.CloseReceived)
                    {
                        await _socket.CloseOutputAsync(_socket.CloseStatus.Value, null, CancellationToken.None);
                    }

                    return;
                }

                message.Write(buffer.AsSpan(0, part.Count));
                if (part.EndOfMessage)
                {
                    var frame = JsonNode.Parse(message.WrittenSpan)!.AsObject();
                    var isTold = frame.Type() is "info_chat" or "saved" || frame.Text("code") == "not_saved";
                    (isTold ? _told : _frames).Writer.TryWrite(frame);
                    message.ResetWrittenCount();
                }
            }
        }
        catch (Exception exception) when (exception is WebSocketException or ObjectDisposedException or OperationCanceledException)
        {
            // The connection was cut: that shows as 1006, as in browsers.
        }
        finally
        {
            _closed.TrySetResult((1006, ""));
            _frames.Writer.TryComplete();
            _told.Writer.TryComplete();
        }
    }

    private static async Task<JsonObject> TakeAsync(ChannelReader<JsonObject> frames)
    {
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            return await frames.ReadAsync(patience.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"Nothing came within {Patience.TotalSeconds} s.", exception);
        }
    }
}
