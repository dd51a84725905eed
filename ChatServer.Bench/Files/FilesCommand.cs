using System.Diagnostics;
using System.Globalization;
using System.Net.WebSockets;
using System.Text.Json;
using ChatServer.Bench.Load;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Files;

/// <summary>
/// How fast a file comes in over the WebSocket and out over HTTP, beside the same bytes through <see cref="FilePeer"/>, in turn: medians
/// and their ratio.
/// </summary>
internal static class FilesCommand
{
    public const string Usage = "Usage: dotnet run -c Release --project ChatServer.Bench -- files";

    private const int Bytes = 20 * 1024 * 1024;
    private const int FrameBytes = 64 * 1024;
    private const int Rounds = 9;
    private const int Room = 1;

    public static async Task<int> RunAsync(CancellationToken cancellation)
    {
        await using var product = await Contestant.Product.StartAsync(
            Workload.All.First(work => work.Key == "fanout-100x10"), new LoadOptions(), cancellation);
        await using var bare = new Scene();
        await bare.AddServerAsync(port => new(Scene.Self(FilePeer.Verb, "--port", $"{port}", "--bytes", $"{Bytes}")), cancellation);
        using var http = new HttpClient();
        var peer = new Uri($"http://127.0.0.1:{bare.Ports[0]}{FilePeer.Path}");
        var bytes = new byte[Bytes];
        Random.Shared.NextBytes(bytes);

        // In turn, so that a busy machine is busy for both; the first round warms up.
        var (up, down, bareUp, bareDown) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
        for (var round = 0; round <= Rounds; round++)
        {
            // One user each, so that nobody's quota is used up, and nothing is saved while something is measured.
            await using var sender = await Client.LoginAsync(product.Ports[0], (2 * round) + 1, cancellation);
            await using var receiver = await Client.LoginAsync(product.Ports[0], (2 * round) + 2, cancellation);
            up.Add(await TimeAsync(() => sender.UploadAsync($"f{round}", bytes, cancellation)));
            var url = new Uri($"http://127.0.0.1:{product.Ports[0]}{await receiver.FileUrlAsync(cancellation)}");
            while (await product.CountSavedAsync(cancellation) <= round)
            {
                await Task.Delay(20, cancellation);
            }

            down.Add(await TimeAsync(() => LoadAsync(http, url, cancellation)));
            bareUp.Add(await TimeAsync(() => PostAsync(http, peer, bytes, cancellation)));
            bareDown.Add(await TimeAsync(() => LoadAsync(http, peer, cancellation)));
        }

        await Console.Out.WriteLineAsync(
            $"| files of {Bytes / 1024 / 1024} MiB | ChatServer, MB/s | bare Kestrel, MB/s | ratio |\n|---|---:|---:|---:|\n{Row("upload", up, bareUp)}\n{Row("download", down, bareDown)}");
        return 0;
    }

    private static string Row(string title, List<double> ours, List<double> bare) =>
        string.Create(CultureInfo.InvariantCulture, $"| {title} | {Rate(ours):F0} | {Rate(bare):F0} | {Rate(ours) / Rate(bare):F2} |");

    /// <summary>The median's, without the first round.</summary>
    private static double Rate(List<double> seconds) => Bytes / seconds.Skip(1).Order().ElementAt(Rounds / 2) / 1e6;

    private static async Task<double> TimeAsync(Func<Task> step)
    {
        var start = Stopwatch.GetTimestamp();
        await step();
        return Stopwatch.GetElapsedTime(start).TotalSeconds;
    }

    private static async Task PostAsync(HttpClient http, Uri url, byte[] bytes, CancellationToken cancellation)
    {
        using var content = new ByteArrayContent(bytes);
        using var answer = await http.PostAsync(url, content, cancellation);
        answer.EnsureSuccessStatusCode();
    }

    private static async Task LoadAsync(HttpClient http, Uri url, CancellationToken cancellation)
    {
        using var answer = await http.GetAsync(url, HttpCompletionOption.ResponseHeadersRead, cancellation);
        answer.EnsureSuccessStatusCode();
        await using var body = await answer.Content.ReadAsStreamAsync(cancellation);
        var (buffer, count) = (new byte[FrameBytes], 0L);
        while (await body.ReadAsync(buffer, cancellation) is > 0 and var read)
        {
            count += read;
        }

        if (count != Bytes)
        {
            throw new InvalidOperationException($"{count} bytes came of {Bytes}.");
        }
    }

    /// <summary>A chat client as far as files need one.</summary>
    private sealed class Client(ClientWebSocket socket) : IAsyncDisposable
    {
        public static async Task<Client> LoginAsync(int port, int user, CancellationToken cancellation)
        {
            var socket = new ClientWebSocket();
            socket.Options.SetRequestHeader("Origin", "http://localhost");
            await socket.ConnectAsync(new Uri($"ws://127.0.0.1:{port}/ws"), cancellation);
            var client = new Client(socket);
            await client.SendAsync(
                new { type = "auth", token = SessionRecords.Token(user), rooms = new[] { new { room_id = Room } } }, cancellation);
            await client.UntilAsync("joined", cancellation);
            return client;
        }

        public async Task UploadAsync(string identifier, byte[] bytes, CancellationToken cancellation)
        {
            await SendAsync(new { type = "file", room_id = Room, identifier, name = "bench.bin", size = bytes.Length }, cancellation);
            await UntilAsync("upload", cancellation);
            for (var sent = 0; sent < bytes.Length; sent += FrameBytes)
            {
                await socket.SendAsync(
                    bytes.AsMemory(sent, Math.Min(FrameBytes, bytes.Length - sent)), WebSocketMessageType.Binary, true, cancellation);
            }

            await UntilAsync("ack", cancellation);
        }

        public async Task<string> FileUrlAsync(CancellationToken cancellation) =>
            (await UntilAsync("file", cancellation)).GetProperty("messages")[0].GetProperty("file").GetProperty("url").GetString()!;

        public ValueTask DisposeAsync()
        {
            socket.Dispose();
            return ValueTask.CompletedTask;
        }

        private async Task SendAsync(object frame, CancellationToken cancellation) =>
            await socket.SendAsync(JsonSerializer.SerializeToUtf8Bytes(frame), WebSocketMessageType.Text, true, cancellation);

        /// <exception cref="InvalidOperationException">The server refused something, or closed.</exception>
        private async Task<JsonElement> UntilAsync(string type, CancellationToken cancellation)
        {
            var buffer = new byte[FrameBytes];
            while (true)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
                var frame = JsonSerializer.Deserialize<JsonElement>(buffer.AsSpan(0, read.Count));
                switch (frame.GetProperty("type").GetString())
                {
                    case var found when found == type:
                        return frame;
                    case "info":
                        throw new InvalidOperationException($"The server says {frame}");
                }
            }
        }
    }
}
