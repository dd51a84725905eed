using System.Globalization;
using System.Net.Http.Headers;
using System.Net.WebSockets;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatServer.Demo;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Demo;

/// <summary>
/// As much of the chat service as the page needs to be looked at: one lock, one process, no rooms rule, no limits. It saves through
/// the demo's own REST API. What it leaves out, the tests against the real service cover.
/// </summary>
internal sealed class MiniChat : IAsyncDisposable
{
    private readonly Lock _lock = new();
    private readonly Dictionary<long, List<JsonObject>> _logs = [];
    private readonly List<Member> _members = [];

    public DemoHost Host { get; private set; } = null!;

    /// <summary>While true, connections are cut and new ones refused.</summary>
    public bool Down { get; set; }

    public static async Task<MiniChat> StartAsync()
    {
        var chat = new MiniChat();
        chat.Host = await DemoHost.StartAsync(more: app =>
        {
            app.UseWebSockets();
            app.Map("/ws", chat.ServeAsync);
        });
        return chat;
    }

    /// <summary>Cuts every connection without a word.</summary>
    public void Cut()
    {
        lock (_lock)
        {
            _members.ForEach(member => member.Context.Abort());
        }
    }

    public async Task CloseAllAsync(int code, string reason)
    {
        List<Member> members;
        lock (_lock)
        {
            members = [.. _members];
        }

        foreach (var member in members)
        {
            await member.Socket.CloseOutputAsync((WebSocketCloseStatus)code, reason, CancellationToken.None);
        }
    }

    public async ValueTask DisposeAsync()
    {
        Down = true;
        Cut();
        await Host.DisposeAsync();
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (Down || !context.WebSockets.IsWebSocketRequest)
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }

        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        var member = new Member(context, socket);
        try
        {
            await AuthenticateAsync(member, await ReceiveAsync(member));
            while (await ReceiveAsync(member) is { } frame)
            {
                await HandleAsync(member, frame);
            }
        }
        catch (Exception error) when (error is WebSocketException or OperationCanceledException or IOException)
        {
            // The page went away, or the test cut it off.
        }
        finally
        {
            lock (_lock)
            {
                _members.Remove(member);
            }

            Tell(new JsonObject { ["type"] = "presence", ["left"] = new JsonArray(member.UserId) }, member, eachRoom: true);
        }
    }

    private Task AuthenticateAsync(Member member, JsonNode? auth)
    {
        var key = Encoding.UTF8.GetString(Convert.FromBase64String((string)auth!["token"]!));
        if (!Host.Sessions.Records.TryGetValue(key, out var record))
        {
            return member.Socket.CloseOutputAsync((WebSocketCloseStatus)4500, "invalid_token", CancellationToken.None);
        }

        var session = JsonNode.Parse(record.Value)!;
        member.UserId = (long)session["user"]!["id"]!;
        member.TokenKey = (string)session["token_key"]!;
        lock (_lock)
        {
            _members.Add(member);
            var rooms = auth["rooms"]!.AsArray();
            member.Rooms.UnionWith(rooms.Select(room => (long)room!["room_id"]!));
            member.Send(new JsonObject
            {
                ["type"] = "auth", ["success"] = true, ["user_id"] = member.UserId, ["company_id"] = 1, ["ping_interval"] = 25,
                ["rooms"] = new JsonArray([.. member.Rooms.Select(id => (JsonNode)id)]),
            });
            foreach (var room in rooms)
            {
                Join(member, room!);
            }
        }

        Tell(new JsonObject { ["type"] = "presence", ["joined"] = new JsonArray(member.UserId) }, member, eachRoom: true);
        return Task.CompletedTask;
    }

    private void Join(Member member, JsonNode room)
    {
        var log = LogOf((long)room["room_id"]!);
        var since = (long?)room["since"];
        member.Send(new JsonObject
        {
            ["type"] = "joined", ["success"] = true, ["room_id"] = (long)room["room_id"]!, ["seq"] = log.Count, ["epoch"] = "e1",
            ["recovered"] = since is not null,
        });
        foreach (var message in log.Skip((int)(since ?? log.Count)))
        {
            member.Send(Frame(message));
        }
    }

    private async Task HandleAsync(Member member, JsonNode frame)
    {
        var roomId = (long?)frame["room_id"] ?? 0;
        switch ((string?)frame["type"])
        {
            case "ping":
                member.Send(new JsonObject { ["type"] = "pong" });
                break;
            case "presence":
                lock (_lock)
                {
                    var ids = _members.Where(other => other.Rooms.Contains(roomId)).Select(other => other.UserId).Distinct();
                    member.Send(new JsonObject
                    {
                        ["type"] = "presence", ["room_id"] = roomId, ["user_ids"] = new JsonArray([.. ids.Select(id => (JsonNode)id)]),
                    });
                }

                break;
            case "typing":
                Tell(new JsonObject { ["type"] = "typing", ["room_id"] = roomId, ["user_id"] = member.UserId, ["typing"] = (bool)frame["typing"]! }, member);
                break;
            case "chat":
                await ChatAsync(member, roomId, (string)frame["identifier"]!, (string)frame["body"]!);
                break;
        }
    }

    private async Task ChatAsync(Member member, long roomId, string identifier, string body)
    {
        var timestamp = TimeProvider.System.GetUtcNow().ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        long seq;
        lock (_lock)
        {
            var log = LogOf(roomId);
            seq = log.Count + 1;
            var message = new JsonObject
            {
                ["type"] = "chat", ["room_id"] = roomId, ["seq"] = seq, ["identifier"] = identifier, ["from_user_id"] = member.UserId,
                ["company_id"] = 1, ["body"] = body, ["timestamp"] = timestamp,
            };
            log.Add(message);
            member.Send(new JsonObject
            {
                ["type"] = "ack", ["success"] = true, ["room_id"] = roomId, ["identifier"] = identifier, ["seq"] = seq, ["timestamp"] = timestamp,
            });
            Tell(Frame(message), member, room: roomId);
        }

        using var request = new HttpRequestMessage(HttpMethod.Post, DemoQuantum.BasePath + "/chat/save_message_to_db/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Token", member.TokenKey);
        request.Content = new FormUrlEncodedContent(new Dictionary<string, string>
        {
            ["room_id"] = $"{roomId}", ["user_id"] = $"{member.UserId}", ["company_id"] = "1", ["identifier"] = identifier, ["message_content"] = body,
        });
        using var response = await Host.Http.SendAsync(request);
        var answer = JsonNode.Parse(await response.Content.ReadAsStringAsync())!;
        var saved = (bool)answer["success"]!;
        var news = saved
            ? new JsonObject { ["type"] = "info_chat", ["success"] = true, ["id"] = (long)answer["message"]!["id"]! }
            : new JsonObject { ["type"] = "info", ["success"] = false, ["code"] = "not_saved", ["message"] = (string)answer["message"]! };
        news["room_id"] = roomId;
        news["identifier"] = identifier;
        news["seq"] = seq;
        lock (_lock)
        {
            _members.Where(other => other.UserId == member.UserId).ToList().ForEach(other => other.Send(news));
        }
    }

    private void Tell(JsonObject frame, Member sender, bool eachRoom = false, long? room = null)
    {
        lock (_lock)
        {
            foreach (var other in _members.Where(other => other != sender))
            {
                foreach (var id in eachRoom ? other.Rooms : other.Rooms.Where(id => id == (room ?? (long)frame["room_id"]!)))
                {
                    var copy = frame.DeepClone();
                    copy["room_id"] = id;
                    other.Send(copy);
                }
            }
        }
    }

    private List<JsonObject> LogOf(long roomId) => _logs.TryGetValue(roomId, out var log) ? log : _logs[roomId] = [];

    private static JsonObject Frame(JsonObject message) =>
        new() { ["type"] = "chat", ["success"] = true, ["messages"] = new JsonArray(message.DeepClone()) };

    private static async Task<JsonNode?> ReceiveAsync(Member member)
    {
        var buffer = new byte[128 * 1024];
        var length = 0;
        ValueWebSocketReceiveResult result;
        do
        {
            result = await member.Socket.ReceiveAsync(buffer.AsMemory(length), member.Context.RequestAborted);
            length += result.Count;
        }
        while (!result.EndOfMessage);

        return result.MessageType == WebSocketMessageType.Text ? JsonNode.Parse(buffer.AsSpan(0, length)) : null;
    }

    private sealed class Member(HttpContext context, WebSocket socket)
    {
        private readonly Lock _sending = new();
        private Task _sent = Task.CompletedTask;

        public HttpContext Context => context;

        public WebSocket Socket => socket;

        public long UserId { get; set; }

        public string TokenKey { get; set; } = "";

        public HashSet<long> Rooms { get; } = [];

        /// <summary>Queues a frame behind those before it: two sends at once are not allowed.</summary>
        public void Send(JsonNode frame)
        {
            var bytes = Encoding.UTF8.GetBytes(frame.ToJsonString());
            lock (_sending)
            {
                _sent = SendAfterAsync(_sent, bytes);
            }
        }

        private async Task SendAfterAsync(Task before, byte[] bytes)
        {
            await before;
            try
            {
                await socket.SendAsync(bytes, WebSocketMessageType.Text, endOfMessage: true, context.RequestAborted);
            }
            catch (Exception error) when (error is WebSocketException or OperationCanceledException or ObjectDisposedException)
            {
                // The page went away; its receive loop ends by itself.
            }
        }
    }
}
