using System.Globalization;
using System.Net;
using System.Security.Cryptography.X509Certificates;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.Logging;

namespace ChatServer.Bench.Peers;

/// <summary>Options of the servers that this program can be: pairs of --name and value.</summary>
internal sealed class PeerOptions(IReadOnlyList<string> args)
{
    /// <summary>The options for a port of 127.0.0.1, with this program's certificate if it is to speak TLS.</summary>
    public static IReadOnlyList<string> Listening(int port, bool tls) =>
    [
        "--port", $"{port}",
        .. tls ? (string[])["--cert", DevCertificate.Shared.CertFile, "--key", DevCertificate.Shared.KeyFile] : [],
    ];

    public int Int(string name, int standard) => Text(name) is { } value ? int.Parse(value, CultureInfo.InvariantCulture) : standard;

    public string? Text(string name)
    {
        for (var index = 0; index + 1 < args.Count; index += 2)
        {
            if (args[index] == name)
            {
                return args[index + 1];
            }
        }

        return null;
    }

    /// <summary>
    /// A web application that listens on --port of 127.0.0.1, over TLS if there is a --cert and a --key, and logs nothing.
    /// </summary>
    public WebApplicationBuilder CreateBuilder()
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelHttpsConfiguration();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, Int("--port", 0), listen =>
        {
            if (Text("--cert") is { } certificate)
            {
                listen.UseHttps(X509Certificate2.CreateFromPemFile(certificate, Text("--key")));
            }
        }));
        return builder;
    }
}
