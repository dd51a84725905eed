using System.Globalization;
using System.Net;

namespace ChatServer.Tests.Support;

/// <summary>ChatServer as a process of its own, which can be killed and started again on the same port.</summary>
/// <param name="program">ChatServer.dll; null: the one that these tests are built with.</param>
/// <param name="settings">Environment variables besides those that every node here has.</param>
internal sealed class NodeProcess(int redisPort, int quantumPort, string? program = null, params (string Name, string? Value)[] settings)
    : IAsyncDisposable
{
    private static readonly TimeSpan StartWithin = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan ExitWithin = TimeSpan.FromSeconds(30);

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("node-");
    private readonly HttpClient _http = new() { Timeout = TimeSpan.FromSeconds(2) };
    private readonly List<string> _earlier = [];
    private BoundedProcess? _process;

    /// <summary>Where it listens; by default at a port of its own.</summary>
    public int Port { get; init; } = FreePort.Next();

    /// <summary>With which it listens at a second port for wss, too.</summary>
    public DevCertificate? Certificate { get; init; }

    public Uri Url => new($"ws://127.0.0.1:{Port}/ws");

    /// <summary>For those with a <see cref="Certificate"/>.</summary>
    public Uri TlsUrl => new($"wss://127.0.0.1:{TlsPort}/ws");

    private int TlsPort { get; } = FreePort.Next();

    public bool IsRunning => _process is { HasExited: false };

    /// <summary>What it has in memory now (proc(5), <c>statm</c>).</summary>
    public long ResidentBytes() =>
        long.Parse(
            File.ReadAllText($"/proc/{_process!.Id}/statm").Split(' ')[1], CultureInfo.InvariantCulture) * Environment.SystemPageSize;

    /// <summary>What it logged, over all its starts.</summary>
    public IEnumerable<string> Log => [.. _earlier, .. _process?.Output.Split('\n') ?? []];

    /// <summary>Starts, and waits until it is alive.</summary>
    /// <exception cref="TimeoutException">It ended, or did not answer in time.</exception>
    public async Task StartAsync()
    {
        var process = await LaunchAsync();
        await Eventually.AnswerAsync(AskHealthAsync, () => process.HasExited, () => process.Output);
    }

    /// <summary>Starts it where it can't live, and gives the exit code with which it ends by itself.</summary>
    public async Task<int> FailToStartAsync() => await (await LaunchAsync()).ExitAsync(StartWithin);

    /// <summary>Ends it without a warning.</summary>
    public Task KillAsync() => SendAsync(Signal.Kill);

    /// <summary>Sends it a signal and waits for nothing.</summary>
    public void Send(Signal signal) => signal.SendTo(_process!.Id);

    /// <summary>Waits until it has ended by itself, and gives its exit code.</summary>
    /// <exception cref="TimeoutException">It did not in time.</exception>
    public Task<int> ExitAsync(TimeSpan within) => _process!.ExitAsync(within);

    /// <summary>Asks it to end, waits until it has, and gives its exit code.</summary>
    public Task<int> TerminateAsync() => SendAsync(Signal.Terminate);

    public async ValueTask DisposeAsync()
    {
        await EndAsync();
        _http.Dispose();
        _directory.Delete(recursive: true);
    }

    private async Task<BoundedProcess> LaunchAsync()
    {
        await EndAsync();
        string[] mode = Certificate is null ? [] : ["both"];
        return _process = BoundedProcess.Start(
            ["dotnet", program ?? Path.Combine(AppContext.BaseDirectory, "ChatServer.dll"), .. mode], _directory.FullName,
            [
                ("DOTNET_ENVIRONMENT", null), ("ASPNETCORE_ENVIRONMENT", "Production"),
                ("REDIS_HOST", RedisServer.Host), ("REDIS_PORT", Text(redisPort)),
                ("QUANTUM_SERVER_URL", $"http://127.0.0.1:{quantumPort}/"), ("WS_PORT", Text(Port)), ("WSS_PORT", Text(TlsPort)),
                ("CERT_FILE", Certificate?.CertificateFile), ("KEY_FILE", Certificate?.KeyFile),
                ("CHAT_LISTEN_ADDRESS", "127.0.0.1"), ("ALLOWED_HOSTS", "localhost"), ("RATE_LIMIT", "0"), ("DRAIN_SECONDS", "0"),
                .. settings,
            ]);
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private async Task<bool> AskHealthAsync()
    {
        try
        {
            using var answer = await _http.GetAsync(new Uri($"http://127.0.0.1:{Port}/healthz"));
            return answer.StatusCode == HttpStatusCode.OK;
        }
        catch (TaskCanceledException late)
        {
            throw new HttpRequestException("No answer yet.", late);
        }
    }

    private async Task<int> SendAsync(Signal signal)
    {
        var process = _process ?? throw new InvalidOperationException("The node was not started.");
        if (process.HasExited)
        {
            throw new InvalidOperationException($"The node at {Url.Authority} has ended by itself:\n{string.Join('\n', Log.TakeLast(40))}");
        }

        signal.SendTo(process.Id);
        return await process.ExitAsync(ExitWithin);
    }

    private async Task EndAsync()
    {
        if (_process is { } process)
        {
            await process.DisposeAsync();
            _earlier.AddRange(process.Output.Split('\n'));
            _process = null;
        }
    }
}
