using ChatServer.Bench.Drive;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Servers;
using ChatServer.Bench.Soak;

namespace ChatServer.Bench.Load;

/// <summary>A server to be measured.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Dialect">How to speak to it.</param>
/// <param name="StartAsync">Starts it, with all that it needs, for a workload.</param>
internal sealed record Contestant(
    string Key, string Title, string Dialect, Func<Workload, LoadOptions, CancellationToken, Task<Scene>> StartAsync)
{
    /// <summary>Whether it can be given this work: SignalR has no setting for compression.</summary>
    public bool CanDo(Workload work) => !work.Deflate || Dialect != SignalRDialect.Name;

    public static Contestant Product { get; } = new("chatserver", "ChatServer", ChatDialect.Name, StartProductAsync);

    public static IReadOnlyList<Contestant> Peers { get; } =
    [
        new("signalr", "SignalR", SignalRDialect.Name, (work, options, cancellation) => StartPeerAsync(
            SignalRPeer.Verb, work, options, cancellation)),
        new("naive", "naive relay", NaiveDialect.Name, (work, options, cancellation) => StartPeerAsync(
            NaivePeer.Verb, work, options, cancellation)),
    ];

    public static IReadOnlyList<Contestant> All { get; } = [Product, .. Peers];

    private static async Task<Scene> StartProductAsync(Workload work, LoadOptions options, CancellationToken cancellation)
    {
        var scene = new Scene { MetricsScheme = work.Tls ? "https" : "http" };
        try
        {
            var redis = await scene.AddRedisAsync(options.AppendOnly, cancellation);
            await SessionRecords.StoreAsync($"127.0.0.1:{redis}", work.Connections + Churn.Users);
            var quantum = await scene.AddQuantumAsync(cancellation);
            string[] mode = work.Tls ? ["wss"] : [];
            for (var node = 0; node < options.Nodes; node++)
            {
                await scene.AddServerAsync(
                    _ => ["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.dll"), .. mode],
                    port => Settings(work, port, redis, quantum),
                    cancellation);
            }

            return scene;
        }
        catch
        {
            // Nobody else will ever hold it.
            await scene.DisposeAsync();
            throw;
        }
    }

    private static IEnumerable<(string, string?)> Settings(Workload work, int port, int redis, int quantum) =>
    [
        ("DOTNET_ENVIRONMENT", null), ("ASPNETCORE_ENVIRONMENT", "Production"), ("Logging__LogLevel__Default", "Warning"),
        ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", $"{redis}"), ("QUANTUM_SERVER_URL", $"http://127.0.0.1:{quantum}/"),
        ("ALLOWED_HOSTS", "localhost"), ("ROOM_ACCESS", "company"), ("RATE_LIMIT", "0"), ("CHAT_LISTEN_ADDRESS", "127.0.0.1"),
        ("MAX_CONNECTIONS", $"{work.Connections + 100}"), ("CHAT_PERMESSAGE_DEFLATE", work.Deflate ? "true" : "false"),
        .. work.Tls
            ? (IEnumerable<(string, string?)>)[("WSS_PORT", $"{port}"), ("CERT_FILE", DevCertificate.Shared.CertFile),
                ("KEY_FILE", DevCertificate.Shared.KeyFile)]
            : [("WS_PORT", $"{port}")],
    ];

    private static async Task<Scene> StartPeerAsync(string verb, Workload work, LoadOptions options, CancellationToken cancellation)
    {
        var scene = new Scene();
        try
        {
            string[] tls = work.Tls ? ["--cert", DevCertificate.Shared.CertFile, "--key", DevCertificate.Shared.KeyFile] : [];
            string[] deflate = work.Deflate ? [NaivePeer.Deflate, "true"] : [];
            string[] fault = options.Fault is { } spoil && verb == NaivePeer.Verb ? ["--fault", spoil] : [];
            await scene.AddServerAsync(
                port => Scene.Self([verb, "--port", $"{port}", .. tls, .. deflate, .. fault]), _ => [], cancellation);
            return scene;
        }
        catch
        {
            await scene.DisposeAsync();
            throw;
        }
    }
}
