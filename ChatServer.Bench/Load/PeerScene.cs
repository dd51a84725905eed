using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Load;

/// <summary>A peer, alone or with a Redis of its own on the same core, as ChatServer has it.</summary>
internal static class PeerScene
{
    /// <param name="launchOn">How to start the peer on a port.</param>
    public static Task<Scene> AloneAsync(Func<int, Launch> launchOn, CancellationToken cancellation) =>
        Scene.BuildAsync(scene => scene.AddServerAsync(launchOn, cancellation));

    /// <param name="launchOn">How to start the peer on a port, with the port of its Redis.</param>
    public static Task<Scene> WithRedisAsync(Func<int, int, Launch> launchOn, LoadOptions options, CancellationToken cancellation) =>
        Scene.BuildAsync(async scene =>
        {
            var redis = await scene.AddRedisAsync(options.AppendOnly, cancellation);
            await scene.AddServerAsync(port => launchOn(port, redis), cancellation);
        });
}
