using System.IO.Pipelines;
using System.Net;
using System.Text;
using ChatServer.Connections;
using ChatServer.Requests;
using ChatServer.WebSockets;

namespace ChatServer.Endpoints;

/// <summary>
/// The endpoint <c>/ws</c> in HTTP: refuses those who may not connect, before the upgrade. It serves HTTP/2 too, and what
/// <see cref="DirectUpgrade"/> does not recognize.
/// </summary>
internal sealed partial class ChatEndpoint(
    EndpointOptions options, ConnectionOptions delivery, ConnectionRegistry connections, ConnectionLoop loop,
    IHostApplicationLifetime lifetime, TimeProvider time, ILogger<ChatEndpoint> logger)
{
    public const string Path = "/ws";

    /// <summary><see cref="Path"/> as it stands in a request.</summary>
    public static ReadOnlyMemory<byte> PathBytes { get; } = Encoding.ASCII.GetBytes(Path);

    public async Task ServeAsync(HttpContext context)
    {
        if (WebSocketHandshake.IsUpgrade(context))
        {
            if (!options.Origins.Allows(context.Request.Headers.Origin))
            {
                Log.OriginRefused(logger, context.Request.Headers.Origin.ToString());
                await RefuseAsync(context, StatusCodes.Status403Forbidden, "Pages of this origin may not connect.");
                return;
            }

            if (lifetime.ApplicationStopping.IsCancellationRequested)
            {
                await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "The server is about to stop.");
                return;
            }
        }

        var address = options.Addresses.Of(context.Connection.RemoteIpAddress, context.Request.Headers[ClientAddress.Header]);
        if (connections.Places.TryTake(address, out var refusal) is not { } place)
        {
            Tell(refusal, address);
            await RefuseAsync(context, StatusCodes.Status503ServiceUnavailable, "The server has as many connections as it may have.");
            return;
        }

        try
        {
            var deflates = options.Deflates && PermessageDeflate.IsOffered(context.Request.Headers.SecWebSocketExtensions);
            if (await WebSocketHandshake.AcceptAsync(context, deflates) is { } stream)
            {
                var input = PipeReader.Create(stream, new StreamPipeReaderOptions(leaveOpen: true, useZeroByteReads: true));
                var outbound = new StreamOutbound(stream, delivery.SendQueueBytes, time);
                await loop.RunAsync(new Connection(outbound, context.Abort, time) { Deflates = deflates, Place = place }, input);
                await input.CompleteAsync();
            }
        }
        finally
        {
            place.GiveBack();
        }
    }

    private void Tell(PlaceRefusal refusal, IPAddress? address)
    {
        switch (refusal)
        {
            case PlaceRefusal.Full:
                Log.Full(logger, delivery.MaxConnections);
                break;
            case PlaceRefusal.TooManyUnknown:
                Log.TooManyUnknown(logger, delivery.MaxUnauthenticated);
                break;
            default:
                Log.TooManyOfAddress(logger, address, delivery.MaxUnauthenticatedPerAddress);
                break;
        }
    }

    private static Task RefuseAsync(HttpContext context, int status, string why)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "text/plain; charset=utf-8";
        return context.Response.WriteAsync(why);
    }

    private static partial class Log
    {
        [LoggerMessage(1300, LogLevel.Warning,
            "A page of origin {Origin} was refused. If it should connect, add its host to ALLOWED_HOSTS.")]
        public static partial void OriginRefused(ILogger logger, string origin);

        [LoggerMessage(1301, LogLevel.Warning, "A connection was refused: the node has {Limit} already (MAX_CONNECTIONS).")]
        public static partial void Full(ILogger logger, int limit);

        [LoggerMessage(1302, LogLevel.Warning,
            "A connection was refused: {Limit} that have not authenticated yet are open, as many as may be. Somebody may be opening them on "
            + "purpose.")]
        public static partial void TooManyUnknown(ILogger logger, int limit);

        [LoggerMessage(1303, LogLevel.Warning,
            "A connection was refused: address {Address} has {Limit} that have not authenticated yet (MAX_UNAUTHENTICATED_PER_ADDRESS). If "
            + "that is your load balancer, name it in TRUSTED_PROXIES.")]
        public static partial void TooManyOfAddress(ILogger logger, IPAddress? address, int limit);
    }
}
