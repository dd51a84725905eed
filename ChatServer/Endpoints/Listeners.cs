using System.Net.Security;
using System.Text;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Https;
using Microsoft.Net.Http.Headers;

namespace ChatServer.Endpoints;

/// <summary>Sets Kestrel up: HTTP/1.1 for ws; for wss also HTTP/2, whose extended CONNECT carries WebSockets (RFC 8441).</summary>
internal static class Listeners
{
    public static void Configure(KestrelServerOptions kestrel, EndpointOptions options)
    {
        kestrel.Limits.MaxRequestBufferSize = EndpointOptions.ReadAheadBytes;
        kestrel.Limits.Http2.InitialStreamWindowSize = kestrel.Limits.Http2.InitialConnectionWindowSize = EndpointOptions.ReadAheadBytes;
        kestrel.AddServerHeader = false;

        // By default a byte that is no UTF-8 is a bad request, in any header: a cookie of another application must not decide.
        kestrel.RequestHeaderEncodingSelector = name => name.Equals(HeaderNames.Origin, StringComparison.OrdinalIgnoreCase)
            ? null
            : Encoding.Latin1;

        // Over HTTP/2 the limit can't be lifted for one request, and an idle WebSocket is slow by nature.
        kestrel.Limits.MinResponseDataRate = null;
        if (options.Mode.HasFlag(ListenMode.Ws))
        {
            Listen(kestrel, options, options.WsPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1;
                UseSocketLimit(listen);
                UseDirectUpgrade(listen);
            });
        }

        if (options is { Certificate: { } files } && options.Mode.HasFlag(ListenMode.Wss))
        {
            var certificate = kestrel.ApplicationServices.GetRequiredService<CertificateWatch>();
            _ = certificate.Current(files);
            Listen(kestrel, options, options.WssPort, listen =>
            {
                listen.Protocols = HttpProtocols.Http1AndHttp2;
                UseSocketLimit(listen);
                listen.UseHttps(new TlsHandshakeCallbackOptions
                {
                    OnConnection = _ => new(new SslServerAuthenticationOptions { ServerCertificateContext = certificate.Current(files) }),
                });
                UseDirectUpgrade(listen);
            });
        }
    }

    private static void UseSocketLimit(ListenOptions listen)
    {
        var limit = listen.ApplicationServices.GetRequiredService<SocketLimit>();
        listen.Use(next => connection => limit.ServeAsync(connection, next));
    }

    private static void UseDirectUpgrade(ListenOptions listen)
    {
        var upgrade = listen.ApplicationServices.GetRequiredService<DirectUpgrade>();
        listen.Use(next => connection => upgrade.ServeAsync(connection, next));
    }

    private static void Listen(KestrelServerOptions kestrel, EndpointOptions options, int port, Action<ListenOptions> configure)
    {
        if (options.Address is { } address)
        {
            kestrel.Listen(address, port, configure);
        }
        else
        {
            kestrel.ListenAnyIP(port, configure);
        }
    }
}
