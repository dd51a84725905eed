using System.Net;
using System.Net.Sockets;
using ChatServer.Endpoints;

namespace ChatServer.Operations;

/// <summary>
/// <c>ChatServer healthcheck</c>: asks the service on this machine for <c>/healthz</c>, for containers that have no curl.
/// </summary>
internal static class HealthCheckCommand
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(3);

    /// <returns>The exit code: 0 if it is alive.</returns>
    public static async Task<int> RunAsync(EndpointOptions options)
    {
        // The certificate is for the names that clients use, not for the loopback address; nothing secret is asked.
#pragma warning disable CA5359
        using var handler = new SocketsHttpHandler
        {
            SslOptions = { RemoteCertificateValidationCallback = (_, _, _, _) => true },

            // The environment's HTTP_PROXY is for other machines.
            UseProxy = false,
        };
#pragma warning restore CA5359
        using var client = new HttpClient(handler) { Timeout = Patience };
        var host = HostOf(options.Address);
        foreach (var url in (string[])[$"http://{host}:{options.WsPort}/healthz", $"https://{host}:{options.WssPort}/healthz"])
        {
            try
            {
                using var response = await client.GetAsync(new Uri(url));
                if (response.IsSuccessStatusCode)
                {
                    return 0;
                }
            }
            catch (Exception exception) when (exception is HttpRequestException or TaskCanceledException)
            {
                // The service may listen on the other port only.
            }
        }

        return 1;
    }

    /// <summary>Where the service listens; whoever listens at all addresses does so at the loopback one.</summary>
    private static string HostOf(IPAddress? address) =>
        address is null || address.Equals(IPAddress.Any) ? "127.0.0.1"
        : address.Equals(IPAddress.IPv6Any) ? "[::1]"
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? $"[{address}]"
        : address.ToString();
}
