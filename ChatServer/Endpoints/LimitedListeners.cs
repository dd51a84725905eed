using System.Net;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Options;

namespace ChatServer.Endpoints;

/// <summary>
/// Kestrel's own listeners, of which a socket beyond the limit is closed before the next one is accepted: later, in the pipeline, a burst
/// would already have filled the table of files.
/// </summary>
internal sealed class LimitedListeners(SocketLimit limit, IOptions<SocketTransportOptions> options, ILoggerFactory loggers)
    : IConnectionListenerFactory, IConnectionListenerFactorySelector
{
    private readonly SocketTransportFactory _sockets = new(options, loggers);

    public bool CanBind(EndPoint endpoint) => _sockets.CanBind(endpoint);

    public async ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default) =>
        new Listener(await _sockets.BindAsync(endpoint, cancellationToken), limit);

    private sealed class Listener(IConnectionListener sockets, SocketLimit limit) : IConnectionListener
    {
        public EndPoint EndPoint => sockets.EndPoint;

        public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
        {
            while (await sockets.AcceptAsync(cancellationToken) is { } accepted)
            {
                if (limit.TryEnter())
                {
                    return accepted;
                }

                accepted.Abort(new ConnectionAbortedException("The node has as many sockets as it may have."));
                await accepted.DisposeAsync();
            }

            return null;
        }

        public ValueTask UnbindAsync(CancellationToken cancellationToken = default) => sockets.UnbindAsync(cancellationToken);

        public ValueTask DisposeAsync() => sockets.DisposeAsync();
    }
}
