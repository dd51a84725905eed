using System.Buffers.Text;
using System.Text;

namespace ChatServer.Protocol;

/// <summary>Writes pieces of JSON one after the other into a buffer of known length.</summary>
internal ref struct JsonBytes(Span<byte> rest)
{
    /// <summary>The longest number in digits, with its sign.</summary>
    private const int MaxDigits = 20;

    private Span<byte> _rest = rest;

    public static int Digits(long value)
    {
        Span<byte> digits = stackalloc byte[MaxDigits];
        Utf8Formatter.TryFormat(value, digits, out var count);
        return count;
    }

    public JsonBytes Raw(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_rest);
        _rest = _rest[bytes.Length..];
        return this;
    }

    public JsonBytes Number(long value)
    {
        Utf8Formatter.TryFormat(value, _rest, out var count);
        _rest = _rest[count..];
        return this;
    }

    public JsonBytes Ascii(string text)
    {
        Encoding.ASCII.GetBytes(text, _rest);
        _rest = _rest[text.Length..];
        return this;
    }
}
