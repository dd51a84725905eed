using System.Globalization;
using ChatServer.Bench.Peers;

namespace ChatServer.Bench.Servers;

/// <summary>The processes of one run: a server that listens, and what it needs.</summary>
internal sealed class Scene : IAsyncDisposable
{
    public static readonly TimeSpan StartLimit = TimeSpan.FromSeconds(20);

    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <summary>As ChatServer's image has it; peers that run on .NET gain by it too.</summary>
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
    private Child? _quantum;
    private bool _isPaused;

    /// <summary>Where clients connect.</summary>
    public IReadOnlyList<int> Ports => _ports;

    public IReadOnlyList<int> ServerPids => _serverPids;

    public int[] RedisPids { get; private set; } = [];

    /// <summary>Where the scene's Redis listens; 0 if it has none.</summary>
    public int RedisPort { get; private set; }

    /// <summary>The scheme of the servers' metrics address (Prometheus's text format); null if they have none.</summary>
    public string? MetricsScheme { get; set; }

    /// <summary>Quantum with all its workers; nobody if there is no Quantum.</summary>
    public IReadOnlyList<int> QuantumPids => _quantum is null ? [] : ProcessFigures.Tree(_quantum.Id);

    /// <summary>Where the stand-in for Quantum tells its count.</summary>
    private int? CountPort { get; set; }

    /// <summary>A scene with all that is added to it.</summary>
    public static async Task<Scene> BuildAsync(Func<Scene, Task> add)
    {
        var scene = new Scene();
        try
        {
            await add(scene);
            return scene;
        }
        catch
        {
            // Nobody else will ever hold it.
            await scene.DisposeAsync();
            throw;
        }
    }

    /// <summary>This program in another role.</summary>
    public static IReadOnlyList<string> Self(params IReadOnlyList<string> arguments) =>
        ["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.Bench.dll"), .. arguments];

    /// <param name="appendOnly">Whether Redis writes to disk, as it should if messages matter (appendfsync everysec).</param>
    /// <returns>Its port.</returns>
    public async Task<int> AddRedisAsync(bool appendOnly, CancellationToken cancellation)
    {
        var port = FreePort.Next();
        var redis = await AddAsync(
            Pinning.ServerCore,
            new(["redis-server", "--port", $"{port}", "--bind", "127.0.0.1", "--save", "", "--appendonly", appendOnly ? "yes" : "no",
                "--daemonize", "no"]),
            port, cancellation);
        RedisPids = [redis.Id];
        RedisPort = port;
        return port;
    }

    /// <param name="milliseconds">That it takes for a save.</param>
    /// <returns>Its port.</returns>
    public async Task<int> AddQuantumAsync(int milliseconds, CancellationToken cancellation)
    {
        var port = await AddQuantumAsync(
            port => new(Self(QuantumStandIn.Verb, "--port", $"{port}", QuantumStandIn.Delay, $"{milliseconds}")), cancellation);
        CountPort = port;
        return port;
    }

    /// <param name="launchOn">How to start Quantum on a port.</param>
    /// <returns>Its port.</returns>
    public async Task<int> AddQuantumAsync(Func<int, Launch> launchOn, CancellationToken cancellation)
    {
        var port = FreePort.Next();
        _quantum = await AddAsync(Pinning.GeneratorCore, launchOn(port), port, cancellation);
        return port;
    }

    /// <summary>Quantum stands still: it takes connections, as the kernel does that, and answers nothing.</summary>
    public void PauseQuantum() => SendQuantum(Signal.Stop, isPaused: true);

    /// <summary>Quantum goes on.</summary>
    public void ResumeQuantum() => SendQuantum(Signal.Continue, isPaused: false);

    /// <summary>A server to be measured, on a core that it shares with nothing but its Redis.</summary>
    /// <param name="launchOn">How to start it on a port.</param>
    public async Task AddServerAsync(Func<int, Launch> launchOn, CancellationToken cancellation)
    {
        var port = FreePort.Next();
        var launch = launchOn(port);
        var server = await AddAsync(
            Pinning.ServerCore, launch with { Environment = [.. launch.Environment, YoungestObjects] }, port, cancellation);
        _ports.Add(port);
        _serverPids.Add(server.Id);
    }

    /// <returns>How many messages Quantum has so far; null if there is none that tells, or it stands still.</returns>
    public async Task<long?> CountSavedAsync(CancellationToken cancellation) =>
        CountPort is { } port && !_isPaused
            ? long.Parse(await _http.GetStringAsync(
                new Uri($"http://127.0.0.1:{port}{QuantumStandIn.CountPath}"), cancellation), CultureInfo.InvariantCulture)
            : null;

    /// <returns>Bytes that all servers have allocated since they started; null if they don't tell.</returns>
    public async Task<long?> CountAllocatedAsync(CancellationToken cancellation) =>
        MetricsScheme is null ? null : await SumAsync("chatserver_allocated_bytes_total ", cancellation);

    /// <returns>How many messages the servers know to be saved, since they started.</returns>
    public Task<long> CountNotedAsync(CancellationToken cancellation) => SumAsync("chatserver_saved_total ", cancellation);

    public async ValueTask DisposeAsync()
    {
        _http.Dispose();
        while (_children.TryPop(out var child))
        {
            await child.DisposeAsync();
        }
    }

    /// <param name="metric">With the space behind it.</param>
    private async Task<long> SumAsync(string metric, CancellationToken cancellation)
    {
        var sum = 0L;
        foreach (var port in _ports)
        {
            var metrics = await _http.GetStringAsync(new Uri($"{MetricsScheme}://127.0.0.1:{port}/metrics"), cancellation);
            sum += long.Parse(
                metrics.Split('\n').Single(line => line.StartsWith(metric, StringComparison.Ordinal)).AsSpan(metric.Length),
                CultureInfo.InvariantCulture);
        }

        return sum;
    }

    private void SendQuantum(int signal, bool isPaused)
    {
        _isPaused = isPaused;
        foreach (var pid in QuantumPids)
        {
            Signal.Send(pid, signal);
        }
    }

    private async Task<Child> AddAsync(int core, Launch launch, int port, CancellationToken cancellation)
    {
        var child = Child.Start(launch with { Command = Pinning.Wrap(core, launch.Command) });
        _children.Push(child);
        await child.WaitUntilAsync(() => FreePort.IsTakenAsync(port), StartLimit, cancellation);
        return child;
    }
}
