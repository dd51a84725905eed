using System.Net.Sockets;

namespace ChatServer.Tests.Support;

/// <summary>A Redis server of its own on a free loopback port, in memory, with keyspace notifications.</summary>
internal sealed class SampleRedis : IAsyncDisposable
{
    private readonly BoundedProcess _server;

    private SampleRedis(BoundedProcess server, int port)
    {
        _server = server;
        Port = port;
    }

    public int Port { get; }

    public static async Task<SampleRedis> StartAsync(string directory)
    {
        var port = FreePort.Next();
        var redis = new SampleRedis(
            BoundedProcess.Start(
                ["redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--notify-keyspace-events", "KEgx"], directory),
            port);
        try
        {
            await Eventually.AnswerAsync(() => redis.SendAsync("PING"), () => redis._server.HasExited, () => redis._server.Output);
            return redis;
        }
        catch
        {
            await redis.DisposeAsync();
            throw;
        }
    }

    /// <summary>Sends one command and gives the reply as it is, without what follows its last line break.</summary>
    public async Task<string> SendAsync(params string[] command)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        using var client = new TcpClient();
        await client.ConnectAsync("127.0.0.1", Port, timeout.Token);
        await using var stream = client.GetStream();
        var request = $"*{command.Length}\r\n{string.Concat(command.Select(part => $"${part.Length}\r\n{part}\r\n"))}*1\r\n$4\r\nQUIT\r\n";
        await stream.WriteAsync(System.Text.Encoding.UTF8.GetBytes(request), timeout.Token);
        using var reader = new StreamReader(stream);
        var reply = await reader.ReadToEndAsync(timeout.Token);
        return reply[..reply.LastIndexOf("+OK", StringComparison.Ordinal)].TrimEnd();
    }

    public ValueTask DisposeAsync() => _server.DisposeAsync();
}
