using System.Buffers;
using System.Text;

namespace ChatServer.WebSockets;

/// <summary>
/// The head of a WebSocket upgrade (RFC 6455, section 4.2.1; RFC 9112 for its form), read before any HTTP server has. Only the ordinary is
/// recognized, as browsers and proxies send it: whatever is odd, incomplete or wrong is left to the HTTP server, which can answer it.
/// </summary>
/// <param name="Key">Its Sec-WebSocket-Key, of the right form.</param>
/// <param name="Origin">Null if it has none.</param>
/// <param name="Extensions">Its Sec-WebSocket-Extensions; null if it has none.</param>
/// <param name="ForwardedFor">Its X-Forwarded-For, all of them joined by commas; null if it has none.</param>
internal sealed record UpgradeRequest(string Key, string? Origin, string? Extensions = null, string? ForwardedFor = null)
{
    /// <summary>A longer head is left to the HTTP server.</summary>
    private const int MaxBytes = 16 * 1024;

    private static readonly SearchValues<byte> TokenCharacters =
        SearchValues.Create("-_0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    private static readonly SearchValues<byte> HostCharacters =
        SearchValues.Create("-._:[]0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"u8);

    /// <param name="input">All that has come so far.</param>
    /// <param name="path">The one path that is served.</param>
    /// <param name="used">How long the head is.</param>
    /// <returns>Null if it is not an ordinary upgrade as a whole.</returns>
    public static UpgradeRequest? Read(in ReadOnlySequence<byte> input, ReadOnlySpan<byte> path, out int used)
    {
        if (input.IsSingleSegment)
        {
            return Read(input.FirstSpan, path, out used);
        }

        var start = input.Slice(0, Math.Min(input.Length, MaxBytes));
        var buffer = ArrayPool<byte>.Shared.Rent((int)start.Length);
        start.CopyTo(buffer);
        var request = Read(buffer.AsSpan(0, (int)start.Length), path, out used);
        ArrayPool<byte>.Shared.Return(buffer);
        return request;
    }

    public static UpgradeRequest? Read(ReadOnlySpan<byte> input, ReadOnlySpan<byte> path, out int used)
    {
        var end = input[..Math.Min(input.Length, MaxBytes)].IndexOf("\r\n\r\n"u8);
        used = end + 4;
        if (end < 0)
        {
            return null;
        }

        var lines = input[..(end + 2)];
        var seen = Fields.None;
        string? key = null;
        string? origin = null;
        string? extensions = null;
        string? forwardedFor = null;
        for (var isFirst = true; !lines.IsEmpty; isFirst = false)
        {
            var length = lines.IndexOf("\r\n"u8);
            var line = lines[..length];
            lines = lines[(length + 2)..];
            if (line.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            {
                return null;
            }

            if (isFirst)
            {
                if (!IsRequestLine(line, path))
                {
                    return null;
                }

                continue;
            }

            var colon = line.IndexOf((byte)':');
            if (colon <= 0 || line[..colon].ContainsAnyExcept(TokenCharacters))
            {
                return null;
            }

            var value = line[(colon + 1)..].Trim((byte)' ');
            var field = FieldOf(line[..colon]);
            if ((seen & field) != Fields.None || !IsOrdinary(field, value))
            {
                return null;
            }

            seen |= field;
            key = field == Fields.Key ? Encoding.ASCII.GetString(value) : key;
            origin = field == Fields.Origin ? Encoding.ASCII.GetString(value) : origin;
            extensions = field == Fields.Extensions ? Encoding.ASCII.GetString(value) : extensions;
            if (Is(line[..colon], "X-Forwarded-For"u8))
            {
                // The one field of these that each proxy may add once more.
                var hops = Encoding.ASCII.GetString(value);
                forwardedFor = forwardedFor is null ? hops : $"{forwardedFor},{hops}";
            }
        }

        return (seen & Fields.Needed) == Fields.Needed ? new(key!, origin, extensions, forwardedFor) : null;
    }

    private static bool IsRequestLine(ReadOnlySpan<byte> line, ReadOnlySpan<byte> path)
    {
        // Beginning and end may not share the space.
        if (line.Length < "GET  HTTP/1.1".Length || !line.StartsWith("GET "u8) || !line.EndsWith(" HTTP/1.1"u8))
        {
            return false;
        }

        // A query has no meaning here.
        var target = line["GET ".Length..^" HTTP/1.1".Length];
        return target.StartsWith(path) && (target.Length == path.Length || target[path.Length] == '?')
            && !target.ContainsAny((byte)' ', (byte)'#');
    }

    private static Fields FieldOf(ReadOnlySpan<byte> name) =>
        Is(name, "Host"u8) ? Fields.Host
        : Is(name, "Upgrade"u8) ? Fields.Upgrade
        : Is(name, "Connection"u8) ? Fields.Connection
        : Is(name, "Sec-WebSocket-Version"u8) ? Fields.Version
        : Is(name, "Sec-WebSocket-Key"u8) ? Fields.Key
        : Is(name, "Origin"u8) ? Fields.Origin
        : Is(name, "Sec-WebSocket-Extensions"u8) ? Fields.Extensions
        : Is(name, "Content-Length"u8) || Is(name, "Transfer-Encoding"u8) || Is(name, "Expect"u8) ? Fields.Body
        : Fields.None;

    private static bool IsOrdinary(Fields field, ReadOnlySpan<byte> value) => field switch
    {
        Fields.Host => !value.IsEmpty && !value.ContainsAnyExcept(HostCharacters),
        Fields.Upgrade => Is(value, "websocket"u8),
        Fields.Connection => HasUpgrade(value),
        Fields.Version => value.SequenceEqual("13"u8),
        Fields.Key => WebSocketHandshake.IsKey(value),
        Fields.Body => false,
        _ => true,
    };

    private static bool HasUpgrade(ReadOnlySpan<byte> connection)
    {
        foreach (var part in connection.Split((byte)','))
        {
            if (Is(connection[part].Trim((byte)' '), "Upgrade"u8))
            {
                return true;
            }
        }

        return false;
    }

    private static bool Is(ReadOnlySpan<byte> text, ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(text, word);

    /// <summary>The fields that matter; each may come once.</summary>
    [Flags]
    private enum Fields
    {
        None = 0,
        Host = 1,
        Upgrade = 2,
        Connection = 4,
        Version = 8,
        Key = 16,
        Needed = Host | Upgrade | Connection | Version | Key,
        Origin = 32,

        Extensions = 64,

        /// <summary>What says that a body follows.</summary>
        Body = 128,
    }
}
