using ChatServer.Bench.Servers;
using ChatServer.Bench.Soak;

namespace ChatServer.Bench.Load;

/// <summary>ChatServer as in production: its nodes, a Redis in which everybody is logged in, and the stand-in for Quantum.</summary>
internal static class ProductScene
{
    public static Task<Scene> StartAsync(Workload work, LoadOptions options, CancellationToken cancellation) =>
        StartAsync(
            work, options,
            async (scene, _) => WhereQuantumIs(await scene.AddQuantumAsync(options.QuantumMilliseconds, cancellation)), cancellation);

    /// <param name="addQuantum">
    /// Adds Quantum to the scene, whose Redis has that port, and gives the settings that ChatServer needs for it; they count more than
    /// those that it has anyhow.
    /// </param>
    public static async Task<Scene> StartAsync(
        Workload work, LoadOptions options, Func<Scene, int, Task<IEnumerable<(string Name, string? Value)>>> addQuantum,
        CancellationToken cancellation)
    {
        var scene = await Scene.BuildAsync(scene => AddAsync(scene, work, options, addQuantum, cancellation));
        scene.MetricsScheme = work.Tls ? "https" : "http";
        return scene;
    }

    public static IEnumerable<(string Name, string? Value)> WhereQuantumIs(int port) =>
        [("QUANTUM_SERVER_URL", $"http://127.0.0.1:{port}/")];

    private static async Task AddAsync(
        Scene scene, Workload work, LoadOptions options, Func<Scene, int, Task<IEnumerable<(string Name, string? Value)>>> addQuantum,
        CancellationToken cancellation)
    {
        var redis = await scene.AddRedisAsync(options.AppendOnly, cancellation);
        await SessionRecords.StoreAsync($"127.0.0.1:{redis}", work.Connections + Churn.Users);
        var forQuantum = (await addQuantum(scene, redis)).ToList();
        string[] mode = work.Tls ? ["wss"] : [];
        for (var node = 0; node < options.Nodes; node++)
        {
            await scene.AddServerAsync(
                port => new(["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.dll"), .. mode])
                {
                    Environment = [.. Settings(work, options, port, redis), .. forQuantum],
                },
                cancellation);
        }
    }

    private static IEnumerable<(string, string?)> Settings(Workload work, LoadOptions options, int port, int redis) =>
    [
        ("DOTNET_ENVIRONMENT", null), ("ASPNETCORE_ENVIRONMENT", "Production"), ("Logging__LogLevel__Default", "Warning"),
        ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", $"{redis}"),
        ("ALLOWED_HOSTS", "localhost"), ("ROOM_ACCESS", "company"), ("RATE_LIMIT", "0"), ("CHAT_LISTEN_ADDRESS", "127.0.0.1"),
        ("MAX_CONNECTIONS", $"{work.Connections + 100}"), ("MAX_UNAUTHENTICATED_PER_ADDRESS", "0"),
        ("CHAT_PERMESSAGE_DEFLATE", work.Deflate ? "true" : "false"),
        .. options.SaveBatch > 1
            ? (IEnumerable<(string, string?)>)[("SAVE_BATCH", $"{options.SaveBatch}"), ("QUANTUM_SERVICE_TOKEN", "service")]
            : [],
        .. work.Tls
            ? (IEnumerable<(string, string?)>)[("WSS_PORT", $"{port}"), ("CERT_FILE", DevCertificate.Shared.CertFile),
                ("KEY_FILE", DevCertificate.Shared.KeyFile)]
            : [("WS_PORT", $"{port}")],
    ];
}
