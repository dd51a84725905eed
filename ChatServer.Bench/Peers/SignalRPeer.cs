using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Bench.Peers;

/// <summary>
/// The relay as an ASP.NET Core SignalR hub: JSON protocol, a group for each room, everything in this process's memory
/// unless it has a Redis to pass messages through.
/// </summary>
internal static class SignalRPeer
{
    public const string Verb = "peer-signalr";

    private const string Redis = "--redis";

    /// <param name="redis">The port of its backplane; null: in memory.</param>
    public static Launch LaunchOn(int port, bool tls, int? redis = null) => new(Scene.Self([
        Verb, .. PeerOptions.Listening(port, tls), .. redis is null ? (string[])[] : [Redis, $"127.0.0.1:{redis}"]]));

    public static async Task<int> RunAsync(PeerOptions options)
    {
        var builder = options.CreateBuilder();

        // The generator sends no pings of SignalR's own.
        var signalR = builder.Services.AddSignalR(hub => hub.ClientTimeoutInterval = TimeSpan.FromHours(1));
        if (options.Text(Redis) is { } redis)
        {
            signalR.AddStackExchangeRedis(redis);
        }

        var app = builder.Build();
        app.MapHub<RelayHub>("/hub");
        await Lifeline.RunAsync(app);
        return 0;
    }
}

/// <summary>Passes a message to the others in a room.</summary>
internal sealed class RelayHub : Hub
{
    public Task Join(string room) => Groups.AddToGroupAsync(Context.ConnectionId, room);

    public Task Say(string room, string identifier, string body) => Clients.OthersInGroup(room).SendAsync("chat", room, identifier, body);
}
