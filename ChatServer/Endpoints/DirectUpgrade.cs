using System.Net;
using ChatServer.Connections;
using ChatServer.Requests;
using ChatServer.WebSockets;
using Microsoft.AspNetCore.Connections;

namespace ChatServer.Endpoints;

/// <summary>
/// Serves ordinary upgrades directly on Kestrel's connection, below its HTTP layer: what HTTP holds for a request would stay for the
/// socket's whole life, several times what a chat connection needs. Everything else, and all refusals, are left to HTTP.
/// </summary>
internal sealed class DirectUpgrade(
    EndpointOptions options, ConnectionOptions delivery, ConnectionRegistry connections, ConnectionLoop loop,
    IHostApplicationLifetime lifetime, TimeProvider time)
{
    public async Task ServeAsync(ConnectionContext connection, ConnectionDelegate next)
    {
        if (await TryUpgradeAsync(connection) is not { } accepted)
        {
            await next(connection);
            return;
        }

        try
        {
            await loop.RunAsync(accepted, connection.Transport.Input);
        }
        finally
        {
            accepted.Place!.GiveBack();
        }
    }

    /// <returns>Null if the connection is left to HTTP, with nothing consumed.</returns>
    private async ValueTask<Connection?> TryUpgradeAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var enough = new CancellationTokenSource(EndpointOptions.UpgradePatience, time);
        try
        {
            var received = (await input.ReadAsync(enough.Token)).Buffer;
            var request = UpgradeRequest.Read(received, ChatEndpoint.PathBytes.Span, out var used);
            if (request is null || !options.Origins.Allows(request.Origin) || lifetime.ApplicationStopping.IsCancellationRequested
                || TakePlace(connection, request) is not { } place)
            {
                input.AdvanceTo(received.Start);
                return null;
            }

            input.AdvanceTo(received.GetPosition(used));
            var outbound = Outbound.Over(connection, delivery.SendQueueBytes, time);
            var deflates = options.Deflates && PermessageDeflate.IsOffered(request.Extensions);
            outbound.TrySend(WebSocketHandshake.Answer(request.Key, deflates));
            return new Connection(outbound, connection.Abort, time) { Deflates = deflates, Place = place };
        }
        catch (Exception exception) when (exception is IOException or OperationCanceledException)
        {
            // Nothing came in time, or the connection broke: HTTP meets the same and makes of it what it always does. What went through
            // Kestrel from here would be logged as an error, which anybody could bring about by connecting and going away.
            return null;
        }
    }

    private Place? TakePlace(ConnectionContext connection, UpgradeRequest request) => connections.Places.TryTake(
        options.Addresses.Of((connection.RemoteEndPoint as IPEndPoint)?.Address, request.ForwardedFor), out _);
}
