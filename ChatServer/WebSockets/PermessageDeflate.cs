using System.Globalization;

namespace ChatServer.WebSockets;

/// <summary>
/// The extension permessage-deflate (RFC 7692), always without context takeover: each message is compressed for itself, so that a room's
/// message is compressed once for all who get it, and a connection that is silent keeps no window.
/// </summary>
internal static class PermessageDeflate
{
    /// <summary>What the server agrees to (section 7.1).</summary>
    public const string Answer = "permessage-deflate; server_no_context_takeover; client_no_context_takeover";

    private const string Name = "permessage-deflate";
    private const int FewestBits = 8;
    private const int MostBits = 15;

    /// <summary>Whether one of the offers in Sec-WebSocket-Extensions can be taken with <see cref="Answer"/>.</summary>
    public static bool IsOffered(string? extensions)
    {
        foreach (var offer in (extensions ?? "").Split(',', StringSplitOptions.TrimEntries))
        {
            if (IsAcceptable(offer.Split(';', StringSplitOptions.TrimEntries)))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>An offer with a parameter that is unknown, twice there, or has no proper value, must be declined (section 7.1).</summary>
    private static bool IsAcceptable(string[] offer)
    {
        if (offer[0] != Name)
        {
            return false;
        }

        var seen = new HashSet<string>();
        foreach (var parameter in offer.AsSpan(1))
        {
            var (name, value) = parameter.IndexOf('=', StringComparison.Ordinal) is var equals and >= 0
                ? (parameter[..equals].TrimEnd(), parameter[(equals + 1)..].Trim().Trim('"'))
                : (parameter, null);
            var isSound = name switch
            {
                "server_no_context_takeover" or "client_no_context_takeover" => value is null,
                "client_max_window_bits" => value is null || Bits(value) is not null,

                // The compressor has a window of one size only.
                "server_max_window_bits" => Bits(value) == MostBits,
                _ => false,
            };
            if (!isSound || !seen.Add(name))
            {
                return false;
            }
        }

        return true;
    }

    private static int? Bits(string? value) =>
        int.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var bits) && bits is >= FewestBits and <= MostBits
            && value![0] != '0'
            ? bits
            : null;
}
