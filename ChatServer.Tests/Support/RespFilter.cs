using System.Buffers;
using System.Globalization;
using System.Text;

namespace ChatServer.Tests.Support;

/// <summary>
/// Reads what Redis sends (the serialization protocol RESP2 and RESP3), reply by reply, and can leave out the messages of subscriptions
/// while everything else passes: so a subscription dies whose connection looks healthy.
/// </summary>
internal sealed class RespFilter
{
    private static readonly byte[][] Messages = Kinds("message", "smessage", "pmessage");
    private static readonly byte[][] Confirmations = Kinds("subscribe", "ssubscribe", "psubscribe");

    private readonly ArrayBufferWriter<byte> _rest = new();

    /// <summary>Takes what came and gives the whole replies that pass; the beginning of an unfinished one is kept.</summary>
    public byte[] Pass(ReadOnlySpan<byte> received, bool withoutMessages, bool withoutConfirmations = false)
    {
        _rest.Write(received);
        var all = _rest.WrittenSpan;
        var passed = new ArrayBufferWriter<byte>(all.Length + 1);
        var begin = 0;
        for (var end = begin; TrySkip(all, ref end); begin = end)
        {
            var reply = all[begin..end];
            if (!(withoutMessages && IsOneOf(Messages, reply)) && !(withoutConfirmations && IsOneOf(Confirmations, reply)))
            {
                passed.Write(reply);
            }
        }

        var kept = all[begin..].ToArray();
        _rest.ResetWrittenCount();
        _rest.Write(kept);
        return passed.WrittenSpan.ToArray();
    }

    private static byte[][] Kinds(params string[] kinds) =>
        [.. kinds.Select(kind => Encoding.ASCII.GetBytes($"${kind.Length}\r\n{kind}\r\n"))];

    private static bool IsOneOf(byte[][] kinds, ReadOnlySpan<byte> reply)
    {
        if (reply[0] is not ((byte)'*' or (byte)'>'))
        {
            return false;
        }

        var elements = reply[(reply.IndexOf((byte)'\n') + 1)..];
        foreach (var kind in kinds)
        {
            if (elements.StartsWith(kind))
            {
                return true;
            }
        }

        return false;
    }

    /// <returns>False if the reply is not complete yet.</returns>
    private static bool TrySkip(ReadOnlySpan<byte> data, ref int at)
    {
        var line = data[at..].IndexOf("\r\n"u8);
        if (line < 0)
        {
            return false;
        }

        var kind = data[at];
        var rest = data.Slice(at + 1, line - 1);
        at += line + 2;
        switch (kind)
        {
            case (byte)'$' or (byte)'=' or (byte)'!':
                var bytes = Count(rest);
                at += bytes < 0 ? 0 : bytes + 2;
                return at <= data.Length;
            case (byte)'*' or (byte)'>' or (byte)'~' or (byte)'%':
                for (var elements = Count(rest) * (kind == '%' ? 2 : 1); elements > 0; elements--)
                {
                    if (!TrySkip(data, ref at))
                    {
                        return false;
                    }
                }

                return true;
            default:
                return true;
        }
    }

    private static int Count(ReadOnlySpan<byte> digits) => int.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture);
}
