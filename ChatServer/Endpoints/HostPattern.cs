using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace ChatServer.Endpoints;

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
            // No valid name; unchanged, it will not parse.
            return entry;
        }
    }
}
