using ChatServer.Bench.Load;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Saving;

/// <summary>ChatServer with the stand-in for Quantum or with the Django sample.</summary>
internal static class SavingScene
{
    /// <summary>How many messages share a call where many do.</summary>
    public const int Batch = 100;

    /// <param name="saveBatch">
    /// How many messages one call may save; above 1 with a token of ChatServer's own, else with the senders'.
    /// </param>
    /// <param name="django">Null: the stand-in.</param>
    /// <param name="settings">Of ChatServer, beside or in place of those that it has in every measurement.</param>
    public static Task<Scene> StartAsync(
        Workload work, int saveBatch, DjangoSample? django, IEnumerable<(string Name, string? Value)> settings,
        CancellationToken cancellation) =>
        ProductScene.StartAsync(
            work, new LoadOptions { SaveBatch = saveBatch },
            async (scene, redis) =>
            {
                var port = await (django is null
                    ? scene.AddQuantumAsync(QuantumStandIn.StandardDelay, cancellation)
                    : scene.AddQuantumAsync(port => django.LaunchOn(port, redis), cancellation));
                return [
                    .. ProductScene.WhereQuantumIs(port), .. settings,
                    .. django is not null && saveBatch > 1
                        ? (IEnumerable<(string, string?)>)[("QUANTUM_SERVICE_TOKEN", django.ServiceToken)]
                        : [],
                ];
            },
            cancellation);
}
