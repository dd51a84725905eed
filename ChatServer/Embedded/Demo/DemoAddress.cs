using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;

namespace ChatServer.Embedded.Demo;

/// <summary>Where the demo's Quantum is: on the service's own port, which is known once it listens.</summary>
internal static class DemoAddress
{
    /// <summary>Points the client of Quantum's API at the demo.</summary>
    public static void Use(IServiceProvider services, HttpClient client)
    {
        var addresses = services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses;
        var own = addresses.Select(address => new Uri(address)).ToList();
        var address = own.Find(address => address.Scheme == Uri.UriSchemeHttp) ?? own[0];
        client.BaseAddress = new Uri(address, "/demo/quantum/");
    }

    /// <summary>If only wss is served, the demo is called over TLS; the certificate is made for the names that browsers use.</summary>
    public static void TrustItself(HttpMessageHandler handler, IServiceProvider services)
    {
#pragma warning disable CA5359 // The peer is this process, on the loopback address.
        ((SocketsHttpHandler)handler).SslOptions.RemoteCertificateValidationCallback = static (_, _, _, _) => true;
#pragma warning restore CA5359
    }
}
