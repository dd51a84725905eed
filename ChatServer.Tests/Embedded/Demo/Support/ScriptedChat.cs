using System.Collections.Concurrent;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Threading.Channels;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Embedded.Demo.Support;

/// <summary>
/// A chat server that does nothing by itself: the test answers each frame, so that it can also answer wrongly, late or never.
/// </summary>
internal sealed class ScriptedChat : IAsyncDisposable
{
    private readonly Channel<ScriptedConnection> _connections = Channel.CreateUnbounded<ScriptedConnection>();
    private readonly ConcurrentBag<ScriptedConnection> _all = [];
    private readonly DemoHost _host;

    private ScriptedChat(DemoHost host) => _host = host;

    public Uri Url => _host.Url;

    public static async Task<ScriptedChat> StartAsync()
    {
        ScriptedChat? chat = null;
        var host = await DemoHost.StartAsync(more: app =>
        {
            app.UseWebSockets();
            app.MapGet("/blank", () => Results.Content("<!doctype html><title>blank</title>", "text/html"));
            app.Map("/ws", context => chat!.ServeAsync(context));
        });
        return chat = new ScriptedChat(host);
    }

    /// <summary>The next connection that a client opens.</summary>
    public Task<ScriptedConnection> AcceptAsync() => _connections.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(10));

    /// <summary>Whether a client opens another connection within that time.</summary>
    public async Task<bool> IsCalledWithinAsync(TimeSpan time)
    {
        using var patience = new CancellationTokenSource(time);
        try
        {
            return await _connections.Reader.WaitToReadAsync(patience.Token);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var connection in _all)
        {
            connection.Abort();
        }

        await _host.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var connection = new ScriptedConnection(socket, context);
        _all.Add(connection);
        await _connections.Writer.WriteAsync(connection);
        await connection.Ended.WaitAsync(TimeSpan.FromMinutes(1));
    }
}

/// <summary>The server's end of one connection.</summary>
internal sealed class ScriptedConnection
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly WebSocket _socket;
    private readonly HttpContext _context;

    public ScriptedConnection(WebSocket socket, HttpContext context)
    {
        _socket = socket;
        _context = context;
        context.RequestAborted.Register(() => _ended.TrySetResult());
    }

    public Task Ended => _ended.Task;

    /// <summary>The client's next frame, which must be text.</summary>
    /// <param name="within">10 seconds if not given.</param>
    public async Task<JsonElement> ReceiveAsync(TimeSpan? within = null) =>
        await ReceiveAnyAsync(within) is { Text: { } text } ? text : throw new InvalidOperationException("The client sent bytes.");

    /// <summary>The bytes that the client sends, up to its next text frame.</summary>
    public async Task<(byte[] Bytes, JsonElement Text)> ReceiveBytesAsync()
    {
        var all = new List<byte>();
        while (true)
        {
            var (text, bytes) = await ReceiveAnyAsync();
            all.AddRange(bytes);
            if (text is { } frame)
            {
                return ([.. all], frame);
            }
        }
    }

    /// <summary>That many bytes of the client.</summary>
    public async Task<byte[]> ReceiveBytesAsync(int count)
    {
        var all = new List<byte>();
        while (all.Count < count)
        {
            all.AddRange((await ReceiveAnyAsync()).Bytes);
        }

        return [.. all];
    }

    private async Task<(JsonElement? Text, byte[] Bytes)> ReceiveAnyAsync(TimeSpan? within = null)
    {
        using var patience = new CancellationTokenSource(within ?? Patience);
        var buffer = new byte[128 * 1024];
        var length = 0;
        ValueWebSocketReceiveResult result;
        do
        {
            result = await _socket.ReceiveAsync(buffer.AsMemory(length), patience.Token);
            length += result.Count;
        }
        while (!result.EndOfMessage);

        return result.MessageType switch
        {
            WebSocketMessageType.Text => (JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, length)), []),
            WebSocketMessageType.Binary => (null, buffer[..length]),
            _ => throw new InvalidOperationException($"The client closed: {_socket.CloseStatus} {_socket.CloseStatusDescription}"),
        };
    }

    /// <summary>Whether the client says nothing for that long. Ends the connection: the wait cannot be taken back otherwise.</summary>
    public async Task<bool> IsSilentForAsync(TimeSpan time)
    {
        try
        {
            await ReceiveAsync(time);
            return false;
        }
        catch (OperationCanceledException)
        {
            return true;
        }
    }

    public async Task SendAsync(string frame)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _socket.SendAsync(Encoding.UTF8.GetBytes(frame), WebSocketMessageType.Text, endOfMessage: true, patience.Token);
    }

    /// <summary>Takes the auth frame, and answers it and each of its rooms: fresh ones at <paramref name="seq"/>.</summary>
    /// <returns>The auth frame.</returns>
    public async Task<JsonElement> WelcomeAsync(long seq = 0, bool recovered = false, string epoch = "k3", int pingInterval = 25)
    {
        var auth = await ReceiveAsync();
        List<long> rooms = [.. auth.GetProperty("rooms").EnumerateArray().Select(room => room.GetProperty("room_id").GetInt64())];
        await SendAsync(
            $$"""{"type":"auth","success":true,"user_id":7,"company_id":3,"connection_id":"c","session_expires_in":86399,"rooms":[{{string.Join(',', rooms)}}],"ping_interval":{{pingInterval}}}""");
        foreach (var room in rooms)
        {
            await JoinedAsync(room, seq, recovered, epoch);
        }

        return auth;
    }

    public Task JoinedAsync(long room, long seq, bool recovered, string epoch = "k3") => SendAsync(
        $$"""{"type":"joined","success":true,"room_id":{{room}},"seq":{{seq}},"epoch":"{{epoch}}","reads":{},"recovered":{{(recovered ? "true" : "false")}} }""");

    public Task ChatAsync(long seq, string identifier = "other", long from = 9, long room = 12) => SendAsync(
        $$"""{"type":"chat","success":true,"messages":[{"type":"chat","room_id":{{room}},"seq":{{seq}},"identifier":"{{identifier}}","from_user_id":{{from}},"company_id":3,"body":"body {{seq}}","timestamp":"2026-03-09T10:02:05.250Z"}]}""");

    public Task AckAsync(JsonElement chat, long seq) => SendAsync(
        $$"""{"type":"ack","success":true,"room_id":{{chat.GetProperty("room_id")}},"identifier":"{{IdentifierOf(chat)}}","seq":{{seq}},"timestamp":"2026-03-09T10:02:05.250Z"}""");

    public Task RefuseAsync(JsonElement chat, string code) => SendAsync(
        $$"""{"type":"info","success":false,"code":"{{code}}","message":"no","room_id":{{chat.GetProperty("room_id")}},"identifier":"{{IdentifierOf(chat)}}"}""");

    /// <summary>Ends the connection with a close frame.</summary>
    public async Task CloseAsync(int code, string reason)
    {
        using var patience = new CancellationTokenSource(Patience);
        await _socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, patience.Token);
        var buffer = new byte[1024];
        while (_socket.State == WebSocketState.CloseSent)
        {
            await _socket.ReceiveAsync(buffer.AsMemory(), patience.Token);
        }

        _ended.TrySetResult();
    }

    /// <summary>Cuts the connection without a close frame.</summary>
    public void Abort()
    {
        if (!_ended.Task.IsCompleted)
        {
            try
            {
                _context.Abort(); // Not later: once its request has ended, the context belongs to another one.
            }
            catch (ObjectDisposedException)
            {
                // The client has gone this very moment.
            }

            _ended.TrySetResult();
        }
    }

    public static string IdentifierOf(JsonElement chat) => chat.GetProperty("identifier").GetString()!;
}
