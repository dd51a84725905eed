using System.Globalization;
using System.Net.Sockets;
using ChatServer.Bench.Peers;

namespace ChatServer.Bench.Servers;

/// <summary>The processes of one run: a server that listens, and what it needs.</summary>
internal sealed class Scene : IAsyncDisposable
{
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>As ChatServer's image has it; the peers, too, run on .NET and gain by it.</summary>
    private static readonly (string, string?) YoungestObjects = ("DOTNET_GCgen0size", "0x2000000");

    private readonly HttpClient _http = new(new SocketsHttpHandler
    {
        // The certificate is made for the run: nobody has signed it.
        SslOptions = { RemoteCertificateValidationCallback = (_, certificate, _, _) => DevCertificate.Shared.Is(certificate) },
    })
    {
        Timeout = AnswerLimit,
    };

    private readonly Stack<Child> _children = new();
    private readonly List<int> _ports = [];
    private readonly List<int> _serverPids = [];

    /// <summary>Where clients connect.</summary>
    public IReadOnlyList<int> Ports => _ports;

    public IReadOnlyList<int> ServerPids => _serverPids;

    public int[] RedisPids { get; private set; } = [];

    /// <summary>The scheme of the servers' metrics address (Prometheus's text format); null if they have none.</summary>
    public string? MetricsScheme { get; set; }

    private int? QuantumPort { get; set; }

    /// <summary>This program in another role.</summary>
    public static IReadOnlyList<string> Self(params IReadOnlyList<string> arguments) =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.Bench.dll"), .. arguments];

    public static async Task<bool> ListensAsync(int port)
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", port);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <param name="appendOnly">Whether Redis writes to disk, as it should if messages matter (appendfsync everysec).</param>
    /// <returns>Its port.</returns>
    public async Task<int> AddRedisAsync(bool appendOnly, CancellationToken cancellation)
    {
        var port = FreePort.Next();
        var redis = await AddAsync(
            Pinning.Wrap(
                Pinning.ServerCore,
                "redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", appendOnly ? "yes" : "no",
                "--daemonize", "no"),
            port, [], cancellation);
        RedisPids = [redis.Id];
        return port;
    }

    /// <returns>Its port.</returns>
    public async Task<int> AddQuantumAsync(CancellationToken cancellation)
    {
        var port = FreePort.Next();
        await AddAsync(Pinning.Wrap(Pinning.GeneratorCore, Self(QuantumStandIn.Verb, "--port", $"{port}")), port, [], cancellation);
        QuantumPort = port;
        return port;
    }

    /// <summary>A server to be measured, on a core that it shares with nothing but its Redis.</summary>
    public async Task AddServerAsync(
        Func<int, IReadOnlyList<string>> command, Func<int, IEnumerable<(string, string?)>> environment, CancellationToken cancellation)
    {
        var port = FreePort.Next();
        var server = await AddAsync(
            Pinning.Wrap(Pinning.ServerCore, command(port)), port, [.. environment(port), YoungestObjects], cancellation);
        _ports.Add(port);
        _serverPids.Add(server.Id);
    }

    /// <returns>How many messages Quantum has so far; null if there is no Quantum.</returns>
    public async Task<long?> CountSavedAsync(CancellationToken cancellation) =>
        QuantumPort is { } port
            ? long.Parse(await _http.GetStringAsync(
                new Uri($"http://127.0.0.1:{port}{QuantumStandIn.CountPath}"), cancellation), CultureInfo.InvariantCulture)
            : null;

    /// <returns>Bytes that all servers have allocated since they started; null if they don't tell.</returns>
    public async Task<long?> CountAllocatedAsync(CancellationToken cancellation)
    {
        const string name = "chatserver_allocated_bytes_total ";
        if (MetricsScheme is null)
        {
            return null;
        }

        var sum = 0L;
        foreach (var port in _ports)
        {
            var metrics = await _http.GetStringAsync(new Uri($"{MetricsScheme}://127.0.0.1:{port}/metrics"), cancellation);
            sum += long.Parse(metrics.Split(
                '\n').Single(line => line.StartsWith(name, StringComparison.Ordinal)).AsSpan(name.Length), CultureInfo.InvariantCulture);
        }

        return sum;
    }

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        while (_children.TryPop(out var child))
        {
            await child.DisposeAsync();
        }
    }

    private async Task<Child> AddAsync(
        IReadOnlyList<string> command, int port, IEnumerable<(string, string?)> environment, CancellationToken cancellation)
    {
        var child = Child.Start(command, environment);
        _children.Push(child);
        await child.WaitUntilAsync(() => ListensAsync(port), StartLimit, cancellation);
        return child;
    }
}
