using ChatServer.Deliver;
using ChatServer.Receive;
using ChatServer.Wire;
using Microsoft.AspNetCore.Connections;

namespace ChatServer.Accept;

/// <summary>
/// Serves ordinary upgrades right on Kestrel's connection, below its HTTP layer: what that keeps for a request would stay for the socket's whole life, several
/// times what a chat connection needs. Everything else, and whoever is to be refused, goes on to HTTP untouched.
/// </summary>
internal sealed class DirectUpgrade(
    AcceptOptions options, DeliverOptions delivery, ConnectionRegistry connections, ConnectionLoop loop, IHostApplicationLifetime lifetime, TimeProvider time)
{
    /// <summary>How long the first bytes may take before HTTP, with its own limits, waits for them.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

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
            connections.GiveBackPlace();
        }
    }

    /// <returns>Null where the connection is HTTP's, with nothing read off it.</returns>
    private async ValueTask<Connection?> TryUpgradeAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        using var enough = new CancellationTokenSource(Patience, time);
        try
        {
            var received = (await input.ReadAsync(enough.Token)).Buffer;
            var request = UpgradeRequest.Read(received, ChatEndpoint.PathBytes.Span, out var used);
            if (request is null || !options.Origins.Allows(request.Origin) || lifetime.ApplicationStopping.IsCancellationRequested
                || !connections.TryTakePlace())
            {
                input.AdvanceTo(received.Start);
                return null;
            }

            input.AdvanceTo(received.GetPosition(used));
            var outbound = Outbound.Over(connection, delivery.SendQueueBytes, time);
            var deflates = options.Deflates && PermessageDeflate.IsOffered(request.Extensions);
            outbound.TrySend(WebSocketHandshake.Answer(request.Key, deflates));
            return new Connection(outbound, connection.Abort, time) { Deflates = deflates };
        }
        catch (OperationCanceledException) when (enough.IsCancellationRequested)
        {
            return null;
        }
    }
}
