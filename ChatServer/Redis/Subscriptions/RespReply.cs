using System.Buffers.Text;

namespace ChatServer.Redis.Subscriptions;

/// <summary>What kind of reply it is.</summary>
internal enum RespKind
{
    /// <summary>A simple string.</summary>
    Simple,
    Error,

    /// <summary>An array of three: what happened, the channel, and the payload or a count.</summary>
    Event,
}

/// <summary>
/// A reply as Redis sends it on a connection that has subscriptions (RESP2, https://redis.io/docs/latest/develop/reference/protocol-spec/).
/// It is valid as long as the bytes that it was read from.
/// </summary>
internal readonly ref struct RespReply
{
    private const int EventElements = 3;

    private RespReply(RespKind kind, ReadOnlySpan<byte> text)
    {
        Kind = kind;
        Text = text;
    }

    private RespReply(ReadOnlySpan<byte> what, ReadOnlySpan<byte> channel, ReadOnlySpan<byte> payload)
    {
        Kind = RespKind.Event;
        Text = what;
        Channel = channel;
        Payload = payload;
    }

    public RespKind Kind { get; }

    /// <summary>The simple string, the error's text, or what happened: <c>message</c>, <c>subscribe</c>, <c>unsubscribe</c>.</summary>
    public ReadOnlySpan<byte> Text { get; }

    public ReadOnlySpan<byte> Channel { get; }

    public ReadOnlySpan<byte> Payload { get; }

    /// <summary>Reads one reply from the beginning of the input.</summary>
    /// <param name="used">How many bytes it took.</param>
    /// <returns>False if it is not complete yet.</returns>
    /// <exception cref="InvalidDataException">The input is no reply that may come here.</exception>
    public static bool TryRead(ReadOnlySpan<byte> input, out RespReply reply, out int used)
    {
        reply = default;
        used = 0;
        if (!TryReadLine(input, ref used, out var line))
        {
            return false;
        }

        switch (line[0])
        {
            case (byte)'+':
                reply = new(RespKind.Simple, line[1..]);
                return true;
            case (byte)'-':
                reply = new(RespKind.Error, line[1..]);
                return true;
            case (byte)'*' when Number(line) == EventElements:
                if (TryReadElement(input, ref used, out var what) && TryReadElement(input, ref used, out var channel)
                    && TryReadElement(input, ref used, out var payload))
                {
                    reply = new(what, channel, payload);
                    return true;
                }

                return false;
            default:
                throw Foreign(line);
        }
    }

    /// <summary>Reads a bulk string, of which nil counts as an empty one, or an integer, as its digits.</summary>
    private static bool TryReadElement(ReadOnlySpan<byte> input, scoped ref int at, out ReadOnlySpan<byte> element)
    {
        element = default;
        if (!TryReadLine(input, ref at, out var line))
        {
            return false;
        }

        switch (line[0])
        {
            case (byte)':':
                element = line[1..];
                return true;
            case (byte)'$':
                var length = Number(line);
                if (length < 0)
                {
                    return true;
                }

                // The sum of a length that is told and 2 may be too large for an int.
                if (input.Length - at - 2 < length)
                {
                    return false;
                }

                element = input.Slice(at, length);
                at += length + 2;
                return true;
            default:
                throw Foreign(line);
        }
    }

    private static bool TryReadLine(ReadOnlySpan<byte> input, scoped ref int at, out ReadOnlySpan<byte> line)
    {
        var length = input[at..].IndexOf("\r\n"u8);
        line = length < 0 ? default : input.Slice(at, length);
        at += length + 2;
        return length > 0 || (length == 0 ? throw Foreign(line) : false);
    }

    private static int Number(ReadOnlySpan<byte> line) =>
        Utf8Parser.TryParse(line[1..], out int number, out var digits) && digits == line.Length - 1 ? number : throw Foreign(line);

    private static InvalidDataException Foreign(ReadOnlySpan<byte> line) =>
        new($"Redis sent what no subscription brings: \"{System.Text.Encoding.UTF8.GetString(line[..Math.Min(line.Length, 100)])}\".");
}
