using ChatServer.Bench.Drive;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Load;

/// <summary>A server to be measured.</summary>
/// <param name="Key">Its name on the command line.</param>
/// <param name="Title">Its name in the table.</param>
/// <param name="Dialect">How to speak to it.</param>
/// <param name="StartAsync">Starts it, with all that it needs, for a workload.</param>
internal sealed record Contestant(
    string Key, string Title, string Dialect, Func<Workload, LoadOptions, CancellationToken, Task<Scene>> StartAsync)
{
    public static Contestant Product { get; } =
        new("chatserver", "ChatServer", ChatDialect.Name, ProductScene.StartAsync) { UsesRedis = true };

    public static IReadOnlyList<Contestant> Peers { get; } =
    [
        new("signalr", "SignalR", SignalRDialect.Name, (work, _, cancellation) =>
            PeerScene.AloneAsync(port => SignalRPeer.LaunchOn(port, work.Tls), cancellation))
        {
            Description = "a hub of ASP.NET Core, JSON protocol, a group for each room, in memory.",
        },
        new("signalr-redis", "SignalR + Redis", SignalRDialect.Name, (work, options, cancellation) =>
            PeerScene.WithRedisAsync((port, redis) => SignalRPeer.LaunchOn(port, work.Tls, redis), options, cancellation))
        {
            Description = "the same hub with its Redis backplane (Microsoft.AspNetCore.SignalR.StackExchangeRedis).",
            UsesRedis = true,
        },
        new("node-ws", "Node ws + Redis", NaiveDialect.Name, (work, options, cancellation) =>
            PeerScene.WithRedisAsync((port, redis) => NodePeer.LaunchOn(port, redis, work.Tls, work.Deflate), options, cancellation))
        {
            Description = "Node.js with the packages `ws` and `redis`, one process, a map of rooms, published and heard through Redis.",
            UsesRedis = true,
            PrepareAsync = NodePeer.PrepareAsync,
        },
        new("nchan", "nchan + Redis", NchanDialect.Name, (work, options, cancellation) =>
            PeerScene.WithRedisAsync(
                (port, redis) => NchanPeer.LaunchOn(port, redis, work.Tls, work.Deflate, work.Connections), options, cancellation))
        {
            Description = "nginx with the module nchan, one process, a channel for each room, stored in Redis and published by it.",
            UsesRedis = true,
            PrepareAsync = _ => Task.FromResult(NchanPeer.Obstacle),
        },
        new("naive", "naive relay", NaiveDialect.Name, (work, options, cancellation) =>
            PeerScene.AloneAsync(port => NaivePeer.LaunchOn(port, work.Tls, work.Deflate, options.Fault), cancellation))
        {
            Description = "`System.Net.WebSockets`, a dictionary of rooms, a semaphore for each member, in memory.",
        },
    ];

    public static IReadOnlyList<Contestant> All { get; } = [Product, .. Peers];

    /// <summary>What it is made of.</summary>
    public string Description { get; init; } = "";

    /// <summary>Whether a Redis of the scene works for it.</summary>
    public bool UsesRedis { get; init; }

    /// <summary>Gets ready what the machine must have for it, and tells why it cannot be had; null if it can.</summary>
    public Func<CancellationToken, Task<string?>> PrepareAsync { get; init; } = _ => Task.FromResult<string?>(null);

    /// <summary>Whether a sender gets its own messages too.</summary>
    public bool Echoes => Drive.Dialect.For(Dialect).Echoes;

    /// <summary>Whether it can be given this work: SignalR has no setting for compression.</summary>
    public bool CanDo(Workload work) => !work.Deflate || Dialect != SignalRDialect.Name;
}
