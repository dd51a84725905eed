using ChatServer.Bench.Servers;
using ChatServer.Bench.Soak;

namespace ChatServer.Bench.Load;

/// <summary>ChatServer as in production: its nodes, a Redis in which everybody is logged in, and the stand-in for Quantum.</summary>
internal static class ProductScene
{
    public static async Task<Scene> StartAsync(Workload work, LoadOptions options, CancellationToken cancellation)
    {
        var scene = await Scene.BuildAsync(scene => AddAsync(scene, work, options, cancellation));
        scene.MetricsScheme = work.Tls ? "https" : "http";
        return scene;
    }

    private static async Task AddAsync(Scene scene, Workload work, LoadOptions options, CancellationToken cancellation)
    {
        var redis = await scene.AddRedisAsync(options.AppendOnly, cancellation);
        await SessionRecords.StoreAsync($"127.0.0.1:{redis}", work.Connections + Churn.Users);
        var quantum = await scene.AddQuantumAsync(options.QuantumMilliseconds, cancellation);
        string[] mode = work.Tls ? ["wss"] : [];
        for (var node = 0; node < options.Nodes; node++)
        {
            await scene.AddServerAsync(
                port => new(["dotnet", Path.Combine(AppContext.BaseDirectory, "ChatServer.dll"), .. mode])
                {
                    Environment = Settings(work, options, port, redis, quantum),
                },
                cancellation);
        }
    }

    private static IEnumerable<(string, string?)> Settings(Workload work, LoadOptions options, int port, int redis, int quantum) =>
    [
        ("DOTNET_ENVIRONMENT", null), ("ASPNETCORE_ENVIRONMENT", "Production"), ("Logging__LogLevel__Default", "Warning"),
        ("REDIS_HOST", "127.0.0.1"), ("REDIS_PORT", $"{redis}"), ("QUANTUM_SERVER_URL", $"http://127.0.0.1:{quantum}/"),
        ("ALLOWED_HOSTS", "localhost"), ("ROOM_ACCESS", "company"), ("RATE_LIMIT", "0"), ("CHAT_LISTEN_ADDRESS", "127.0.0.1"),
        ("MAX_CONNECTIONS", $"{work.Connections + 100}"), ("CHAT_PERMESSAGE_DEFLATE", work.Deflate ? "true" : "false"),
        .. options.SaveBatch > 1
            ? (IEnumerable<(string, string?)>)[("SAVE_BATCH", $"{options.SaveBatch}"), ("QUANTUM_SERVICE_TOKEN", "service")]
            : [],
        .. work.Tls
            ? (IEnumerable<(string, string?)>)[("WSS_PORT", $"{port}"), ("CERT_FILE", DevCertificate.Shared.CertFile),
                ("KEY_FILE", DevCertificate.Shared.KeyFile)]
            : [("WS_PORT", $"{port}")],
    ];
}
