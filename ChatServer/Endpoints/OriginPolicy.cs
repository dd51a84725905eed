using ChatServer.Configuration;
using Microsoft.Extensions.Primitives;

namespace ChatServer.Endpoints;

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
    /// <param name="whenNotSet">Entries to use if ALLOWED_HOSTS is not set; without them no page is allowed then.</param>
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
                reader.Mistake(
                    name, $"{reader.Shown(name, entry)} is not like chat.example, chat.example:8001, .example, [::1] or *.");
            }
        }

        return new OriginPolicy(allowed, reader.Switch("ALLOW_MISSING_ORIGIN", fallback: false));
    }

    /// <summary>Judges a request's Origin headers: several are refused, as a browser sends one.</summary>
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
