using System.Net.WebSockets;
using System.Text;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Soak;

/// <summary>
/// People who come and go while others talk: each logs in, is in a room for some seconds, hears what is said there, and leaves, every other
/// one without a word.
/// </summary>
/// <param name="port">The server's.</param>
/// <param name="rooms">Rooms 1 up to this one.</param>
/// <param name="firstUser">They are this user and the following <see cref="Users"/>; their sessions are in Redis.</param>
internal sealed class Churn(int port, int rooms, int firstUser)
{
    /// <summary>How many there are; as many are connected at most.</summary>
    public const int Users = 60;

    private static readonly TimeSpan Shortest = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);

    private int _visits;
    private int _failures;
    private string? _firstFailure;

    /// <summary>How often one came and went as meant.</summary>
    public int Visits => _visits;

    public int Failures => _failures;

    public string? FirstFailure => _firstFailure;

    /// <summary>Goes on until it is cancelled.</summary>
    public Task RunAsync(CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(firstUser, Users).Select(user => ComeAndGoAsync(user, stop)));

    private async Task ComeAndGoAsync(int user, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await VisitAsync(user, stop);
                Interlocked.Increment(ref _visits);
            }
            catch (Exception exception) when (stop.IsCancellationRequested
                && (exception is OperationCanceledException or WebSocketException))
            {
                // Ended in the middle of whatever it was doing.
                return;
            }
            catch (Exception exception) when (exception is WebSocketException or InvalidDataException)
            {
                Interlocked.Increment(ref _failures);
                _firstFailure ??= exception.Message;
                await Task.Delay(Shortest, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    private async Task VisitAsync(int user, CancellationToken stop)
    {
        using var socket = new ClientWebSocket();
        socket.Options.SetRequestHeader("Origin", "http://localhost");
        await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws"), stop);
        var room = Random.Shared.Next(1, rooms + 1);
        var auth = $$"""{"type":"auth","token":"{{SessionRecords.Token(user)}}","rooms":[{"room_id":{{room}}}]}""";
        await socket.SendAsync(Encoding.UTF8.GetBytes(auth), WebSocketMessageType.Text, endOfMessage: true, stop);
        var stays = Shortest + (Random.Shared.NextDouble() * (Longest - Shortest));
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var hearing = HearAsync(socket, time.Token);
        await Task.WhenAny(hearing, Task.Delay(stays, stop));
        if (hearing.IsCompleted)
        {
            await hearing;
        }

        if (Random.Shared.Next(2) == 0)
        {
            // The answer to it ends the hearing; without a word the socket is just gone.
            await socket.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", stop);
            time.CancelAfter(Longest);
            await hearing;
        }
    }

    /// <exception cref="InvalidDataException">The server ended it, or what it said is not what follows a login.</exception>
    private static async Task HearAsync(ClientWebSocket socket, CancellationToken stop)
    {
        var buffer = new byte[64 * 1024];
        var frames = 0;
        while (true)
        {
            var length = 0;
            ValueWebSocketReceiveResult part;
            do
            {
                part = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
                length += part.Count;
            }
            while (!part.EndOfMessage);

            if (part.MessageType == WebSocketMessageType.Close)
            {
                if (socket.CloseStatus != WebSocketCloseStatus.NormalClosure)
                {
                    throw new InvalidDataException($"closed by the server: {(int?)socket.CloseStatus} {socket.CloseStatusDescription}");
                }

                return;
            }

            var expected = frames switch
            {
                0 => "{\"type\":\"auth\",\"success\":true"u8,
                1 => "{\"type\":\"joined\",\"success\":true"u8,
                _ => "{"u8,
            };
            if (!buffer.AsSpan(0, length).StartsWith(expected))
            {
                throw new InvalidDataException($"unexpected: {Encoding.UTF8.GetString(buffer, 0, Math.Min(length, 200))}");
            }

            frames++;
        }
    }
}
