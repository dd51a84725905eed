using System.Net;
using ChatServer.Configuration;

namespace ChatServer.Endpoints;

/// <summary>
/// Tells where a client's socket comes from. Behind a proxy that is what the proxy says in <c>X-Forwarded-For</c>; whoever else sends that
/// header could claim anything, so it counts from proxies named in <c>TRUSTED_PROXIES</c> alone.
/// </summary>
internal sealed class ClientAddress(IReadOnlyList<IPNetwork> trusted)
{
    public const string Header = "X-Forwarded-For";

    public static ClientAddress Read(SettingReader settings)
    {
        const string name = "TRUSTED_PROXIES";
        var networks = new List<IPNetwork>();
        foreach (var entry in settings.List(name))
        {
            if (IPNetwork.TryParse(entry, out var network))
            {
                networks.Add(network);
            }
            else if (IPAddress.TryParse(entry, out var address))
            {
                networks.Add(new(Plain(address), address.IsIPv4MappedToIPv6 || address.GetAddressBytes().Length == 4 ? 32 : 128));
            }
            else
            {
                settings.Mistake(name, $"{settings.Shown(name, entry)} is not an address or a network, such as 10.0.0.7 or 10.0.0.0/8.");
            }
        }

        return new(networks);
    }

    /// <param name="peer">Who has opened the socket; null if it has no address.</param>
    /// <param name="forwardedFor">The header's values, joined by commas; null if there is none.</param>
    /// <returns>
    /// The last address in the chain that no trusted proxy has; the proxy's own if it says nothing of use. Null if there is none at all.
    /// </returns>
    public IPAddress? Of(IPAddress? peer, string? forwardedFor)
    {
        if (peer is null)
        {
            return null;
        }

        var address = Plain(peer);
        if (forwardedFor is null || !IsTrusted(address))
        {
            return address;
        }

        foreach (var hop in forwardedFor.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Reverse())
        {
            if (!IPEndPoint.TryParse(hop, out var said))
            {
                return address;
            }

            address = Plain(said.Address);
            if (!IsTrusted(address))
            {
                return address;
            }
        }

        return address;
    }

    private bool IsTrusted(IPAddress address) => trusted.Any(network => network.Contains(address));

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
}
