using System.Net;
using ChatServer.Configuration;

namespace ChatServer.Endpoints;

/// <summary>Which sockets the service opens.</summary>
[Flags]
internal enum ListenMode
{
    Ws = 1,
    Wss = 2,
    Both = Ws | Wss,
}

/// <summary>Where the service listens, and for whom.</summary>
/// <param name="Mode">Plain, TLS, or both.</param>
/// <param name="Address">Null: every address of the machine.</param>
/// <param name="WsPort">0: one that is free.</param>
/// <param name="WssPort">0: one that is free.</param>
/// <param name="Certificate">PEM files; null if TLS is not served.</param>
/// <param name="Origins">The pages that may connect.</param>
/// <param name="Deflates">Whether clients that offer permessage-deflate get it.</param>
internal sealed record EndpointOptions(
    ListenMode Mode, IPAddress? Address, int WsPort, int WssPort, PemFiles? Certificate, OriginPolicy Origins, bool Deflates)
{
    /// <summary>
    /// What Kestrel reads ahead of us, per connection, in bytes. Its default of 1 MiB would hold that much of every file whose sender has
    /// to wait.
    /// </summary>
    public const int ReadAheadBytes = 64 * 1024;

    /// <summary>Where clients come from.</summary>
    public ClientAddress Addresses { get; init; } = new([]);

    /// <summary>How long a connection's first bytes may take before HTTP, with its own limits, waits for them.</summary>
    public static readonly TimeSpan UpgradePatience = TimeSpan.FromSeconds(5);

    /// <summary>How often the files of the certificate are looked at.</summary>
    public static readonly TimeSpan CertificateCheckInterval = TimeSpan.FromSeconds(2);

    /// <param name="isEmbedded">The development default: loopback only, pages of this machine only.</param>
    /// <param name="isDevelopment">Whether pages of this machine are allowed if ALLOWED_HOSTS is not set.</param>
    public static EndpointOptions Read(SettingReader settings, ListenMode mode, bool isEmbedded, bool isDevelopment)
    {
        var certificate = PemFiles.Read(settings, mode.HasFlag(ListenMode.Wss), isDevelopment);
        if (!isDevelopment && settings.List("ALLOWED_HOSTS").Count == 0)
        {
            settings.Mistake(
                "ALLOWED_HOSTS", "is missing: it names the hosts whose pages may connect, such as chat.example or .example.com.");
        }

        return new(
            mode,
            ReadAddress(settings, isEmbedded ? IPAddress.Loopback : null),
            settings.Int("WS_PORT", 8888, 0, 65535),
            settings.Int("WSS_PORT", 8889, 0, 65535),
            certificate,
            OriginPolicy.Read(settings, isDevelopment ? ["localhost", "127.0.0.1", "[::1]"] : null),
            settings.Switch("CHAT_PERMESSAGE_DEFLATE", false))
        {
            Addresses = ClientAddress.Read(settings),
        };
    }

    private static IPAddress? ReadAddress(SettingReader settings, IPAddress? fallback)
    {
        const string name = "CHAT_LISTEN_ADDRESS";
        switch (settings.Text(name))
        {
            case null:
                return fallback;
            case "*":
                return null;
            case var text when IPAddress.TryParse(text, out var address):
                return address;
            case var text:
                settings.Mistake(name, $"{settings.Shown(name, text)} is not an IP address or *.");
                return fallback;
        }
    }
}
