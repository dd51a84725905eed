using System.Buffers;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace ChatServer.Endpoints;

/// <summary>A host in lower case, an IPv6 address in brackets and in its shortest form, and a port if there is one.</summary>
internal readonly record struct HostAndPort(string Host, int? Port)
{
    private const int MaxHostLength = 253;

    private static readonly SearchValues<char> NameCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-._");
    private static readonly SearchValues<char> AddressCharacters = SearchValues.Create("0123456789abcdef:.");
    private static readonly SearchValues<char> SchemeCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789+-.");

    /// <summary>Reads <c>scheme://host[:port]</c> and nothing else: no path, no user, no list of origins, not <c>null</c>.</summary>
    public static bool TryReadOrigin(string origin, out HostAndPort result)
    {
        result = default;
        const string separator = "://";
        var lower = origin.ToLowerInvariant();
        var at = lower.IndexOf(separator, StringComparison.Ordinal);
        return at > 0
            && Ascii.IsValid(origin)
            && char.IsAsciiLetterLower(lower[0])
            && !lower.AsSpan(0, at).ContainsAnyExcept(SchemeCharacters)
            && TryParse(lower[(at + separator.Length)..], DefaultPort(lower[..at]), out result);
    }

    /// <summary>Reads <c>host[:port]</c>.</summary>
    public static bool TryParse(string text, int? defaultPort, out HostAndPort result)
    {
        result = default;
        var lower = text.ToLowerInvariant();
        var hostLength = lower.StartsWith('[')
            ? lower.IndexOf(']', StringComparison.Ordinal) + 1
            : lower.IndexOf(':', StringComparison.Ordinal);
        hostLength = hostLength < 0 ? lower.Length : hostLength;
        if (!TryReadHost(lower[..hostLength], out var host) || !TryReadPort(lower.AsSpan(hostLength), out var port))
        {
            return false;
        }

        result = new HostAndPort(host, port ?? defaultPort);
        return true;
    }

    private static bool TryReadHost(string text, out string host)
    {
        host = "";
        if (text is ['[', .. var address, ']'])
        {
            if (!address.AsSpan().ContainsAnyExcept(AddressCharacters)
                && IPAddress.TryParse(address, out var parsed) && parsed.AddressFamily == AddressFamily.InterNetworkV6)
            {
                host = $"[{parsed}]";
            }
        }
        else
        {
            // The dot that ends a full domain name makes no other host of it.
            var name = text.EndsWith('.') ? text[..^1] : text;
            if (name.Length is > 0 and <= MaxHostLength
                && !name.AsSpan().ContainsAnyExcept(NameCharacters)
                && !name.StartsWith('.') && !name.EndsWith('.') && !name.Contains("..", StringComparison.Ordinal))
            {
                host = name;
            }
        }

        return host.Length > 0;
    }

    private static bool TryReadPort(ReadOnlySpan<char> text, out int? port)
    {
        port = null;
        if (text.IsEmpty)
        {
            return true;
        }

        return text is [':', >= '1' and <= '9', ..]
            && !text[1..].ContainsAnyExceptInRange('0', '9')
            && ushort.TryParse(text[1..], NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            && (port = number) > 0;
    }

    private static int? DefaultPort(string scheme) => scheme switch
    {
        "http" or "ws" => 80,
        "https" or "wss" => 443,
        _ => null,
    };
}
