using System.Collections.Concurrent;
using System.Net.WebSockets;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Bench.Peers;

/// <summary>
/// The relay that one would write first: System.Net.WebSockets, a dictionary of rooms, one semaphore for each member, and a message goes
/// to all others as it is, one after the other. Nothing is checked, kept or acknowledged.
/// </summary>
internal static class NaivePeer
{
    public const string Verb = "peer-naive";
    private const string Deflate = "--deflate";
    private const string Fault = "--fault";

    private static readonly ConcurrentDictionary<string, ConcurrentDictionary<Guid, NaiveMember>> Rooms = new();

    private static RelayFault? _fault;
    private static bool _deflates;

    /// <param name="fault">What it is to do wrong; null: nothing.</param>
    public static Launch LaunchOn(int port, bool tls, bool deflate, string? fault) => new(Scene.Self([
        Verb, .. PeerOptions.Listening(port, tls), .. deflate ? (string[])[Deflate, "true"] : [],
        .. fault is null ? (string[])[] : [Fault, fault]]));

    public static async Task<int> RunAsync(PeerOptions options)
    {
        _fault = options.Text(Fault) is { } fault ? new(fault) : null;
        _deflates = options.Text(Deflate) is not null;
        var app = options.CreateBuilder().Build();
        app.UseWebSockets();
        app.Run(ServeAsync);
        await Lifeline.RunAsync(app);
        return 0;
    }

    private static async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync(
            new WebSocketAcceptContext { DangerousEnableCompression = _deflates, DisableServerContextTakeover = true });
        using var member = new NaiveMember(socket);
        var id = Guid.NewGuid();
        var room = Rooms.GetOrAdd(context.Request.Path.Value!, _ => new());
        room[id] = member;
        try
        {
            await member.SendAsync("joined"u8.ToArray());
            await RelayAsync(socket, room, id);
        }
        catch (WebSocketException)
        {
            // The other side has gone.
        }
        finally
        {
            room.TryRemove(id, out _);
        }
    }

    private static async Task RelayAsync(WebSocket socket, ConcurrentDictionary<Guid, NaiveMember> room, Guid id)
    {
        var buffer = new byte[4096];
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult result;
            do
            {
                result = await socket.ReceiveAsync(buffer.AsMemory(length), CancellationToken.None);
                length += result.Count;
            }
            while (!result.EndOfMessage);

            if (result.MessageType == WebSocketMessageType.Close)
            {
                return;
            }

            foreach (var (other, member) in room)
            {
                if (other == id)
                {
                    continue;
                }

                var text = buffer.AsMemory(0, length);
                await (_fault?.DeliverAsync(member, text) ?? member.SendAsync(text));
            }
        }
    }
}
