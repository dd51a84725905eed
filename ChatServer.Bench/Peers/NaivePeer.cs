using System.Collections.Concurrent;
using System.Net.WebSockets;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Bench.Peers;

/// <summary>
/// The relay that one writes first: System.Net.WebSockets, a dictionary of rooms, one semaphore for each member, and a message goes to all others as it
/// is, one after the other. Nothing is checked, kept or acknowledged.
/// </summary>
internal static class NaivePeer
{
    public const string Verb = "peer-naive";

    private static readonly ConcurrentDictionary<string, ConcurrentDictionary<Guid, Member>> Rooms = new();

    private static int _dropEvery;
    private static long _deliveries;

    public static async Task<int> RunAsync(PeerOptions options)
    {
        // Proves that the generator notices: a server that loses messages must get no figures.
        _dropEvery = options.Int("--drop", 0);
        var app = options.CreateBuilder().Build();
        app.UseWebSockets();
        app.Run(ServeAsync);
        await Lifeline.RunAsync(app);
        return 0;
    }

    private static async Task ServeAsync(HttpContext context)
    {
        using var socket = await context.WebSockets.AcceptWebSocketAsync();
        using var member = new Member(socket);
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

    private static async Task RelayAsync(WebSocket socket, ConcurrentDictionary<Guid, Member> room, Guid id)
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
                if (other != id && !IsDropped())
                {
                    await member.SendAsync(buffer.AsMemory(0, length));
                }
            }
        }
    }

    private static bool IsDropped() => _dropEvery > 0 && Interlocked.Increment(ref _deliveries) % _dropEvery == 0;

    private sealed class Member(WebSocket socket) : IDisposable
    {
        private readonly SemaphoreSlim _turn = new(1);

        public async Task SendAsync(ReadOnlyMemory<byte> text)
        {
            await _turn.WaitAsync();
            try
            {
                await socket.SendAsync(text, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            }
            catch (WebSocketException)
            {
                // It has gone, and its own loop will notice.
            }
            finally
            {
                _turn.Release();
            }
        }

        public void Dispose() => _turn.Dispose();
    }
}
