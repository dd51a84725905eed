using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ChatServer.Settings;
using Microsoft.Extensions.Primitives;

namespace ChatServer.Accept;

/// <summary>
/// Which pages may open a socket here: a browser lets any page connect to any server, but says in <c>Origin</c> (RFC 6454,
/// section 7) which page asks. Only host and port count; the scheme gives the default port.
/// </summary>
internal sealed class OriginPolicy
{
    private readonly IReadOnlyList<HostPattern> _allowed;
    private readonly bool _allowMissing;

    /// <param name="allowedHosts">Entries as in ALLOWED_HOSTS.</param>
    /// <param name="allowMissing">Whether a request without Origin, which comes from no browser, is let in.</param>
    /// <exception cref="FormatException">An entry is malformed.</exception>
    public OriginPolicy(IEnumerable<string> allowedHosts, bool allowMissing)
        : this([.. allowedHosts.Select(HostPattern.Parse)], allowMissing)
    {
    }

    private OriginPolicy(IReadOnlyList<HostPattern> allowed, bool allowMissing)
    {
        _allowed = allowed;
        _allowMissing = allowMissing;
    }

    /// <summary>From ALLOWED_HOSTS and ALLOW_MISSING_ORIGIN.</summary>
    /// <param name="reader">The settings.</param>
    /// <param name="whenNotSet">Entries to use where ALLOWED_HOSTS is not set; without them no page is allowed then.</param>
    public static OriginPolicy Read(SettingReader reader, IReadOnlyList<string>? whenNotSet = null)
    {
        const string name = "ALLOWED_HOSTS";
        var entries = reader.List(name);
        var allowed = new List<HostPattern>();
        foreach (var entry in entries.Count > 0 ? entries : whenNotSet ?? [])
        {
            if (HostPattern.TryParse(entry, out var pattern))
            {
                allowed.Add(pattern);
            }
            else
            {
                reader.Mistake(name, $"{SettingReader.Shown(name, entry)} is not like chat.example, chat.example:8001, .example, [::1] or *.");
            }
        }

        return new OriginPolicy(allowed, reader.Switch("ALLOW_MISSING_ORIGIN", fallback: false));
    }

    /// <summary>Judges a request's Origin headers: several are refused, for a browser sends one.</summary>
    public bool Allows(StringValues origins) => origins.Count switch
    {
        0 => _allowMissing,
        1 => Allows(origins[0]),
        _ => false,
    };

    /// <summary>
    /// Judges an Origin; null stands for a request without one. The entry <c>*</c> allows whatever is sent, also the origin
    /// <c>null</c> of a sandboxed page; every other entry only what is a well-formed origin. A missing Origin is never matched by an entry.
    /// </summary>
    public bool Allows(string? origin)
    {
        if (origin is null)
        {
            return _allowMissing;
        }

        var hasHost = HostAndPort.TryReadOrigin(origin, out var asking);
        foreach (var pattern in _allowed)
        {
            if (pattern.IsAny || (hasHost && pattern.Matches(asking)))
            {
                return true;
            }
        }

        return false;
    }
}

/// <summary>An entry of ALLOWED_HOSTS: host, host:port, .domain (with its subdomains), .domain:port, or * for all.</summary>
internal sealed class HostPattern
{
    private const string Any = "*";

    private readonly HostAndPort _target;
    private readonly bool _withSubdomains;

    private HostPattern(HostAndPort target, bool withSubdomains, bool isAny)
    {
        _target = target;
        _withSubdomains = withSubdomains;
        IsAny = isAny;
    }

    public bool IsAny { get; }

    public static HostPattern Parse(string entry) =>
        TryParse(entry, out var pattern) ? pattern : throw new FormatException($"\"{entry}\" is no host, host:port, .domain or *.");

    public static bool TryParse(string entry, [NotNullWhen(true)] out HostPattern? pattern)
    {
        pattern = null;
        if (entry == Any)
        {
            pattern = new HostPattern(default, withSubdomains: false, isAny: true);
            return true;
        }

        var withSubdomains = entry.StartsWith('.');
        if (HostAndPort.TryParse(Punycode(withSubdomains ? entry[1..] : entry), defaultPort: null, out var target)
            && !(withSubdomains && target.Host.StartsWith('[')))
        {
            pattern = new HostPattern(target, withSubdomains, isAny: false);
        }

        return pattern is not null;
    }

    public bool Matches(HostAndPort asking) =>
        (_target.Port is null || _target.Port == asking.Port)
        && (asking.Host == _target.Host || (_withSubdomains && IsBelow(asking.Host, _target.Host)));

    private static bool IsBelow(string host, string domain) =>
        host.Length > domain.Length
        && host[^(domain.Length + 1)] == '.'
        && host.EndsWith(domain, StringComparison.Ordinal);

    /// <summary>Operators may write a name in its own letters; browsers send it in punycode (RFC 6454, section 6.2; RFC 3492).</summary>
    private static string Punycode(string entry)
    {
        if (Ascii.IsValid(entry))
        {
            return entry;
        }

        try
        {
            var portAt = entry.LastIndexOf(':');
            var host = portAt < 0 ? entry : entry[..portAt];
            return new IdnMapping().GetAscii(host.ToLowerInvariant()) + entry[host.Length..];
        }
        catch (ArgumentException)
        {
            // No name can be written so; as it stands it will not parse.
            return entry;
        }
    }
}

/// <summary>A host in lower case, an IPv6 address in brackets and in its shortest form, and a port where there is one.</summary>
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
        var hostLength = lower.StartsWith('[') ? lower.IndexOf(']', StringComparison.Ordinal) + 1 : lower.IndexOf(':', StringComparison.Ordinal);
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
