using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ChatServer.Sessions;

/// <summary>
/// From the browser's token to the session's key K = <c>{session_key}_{company_id}_{user_id}</c>. Two forms are understood:
/// base64(K), and <c>{session_key}_</c> + base64(<c>{company_id}_{user_id}</c>) as older front ends send it.
/// </summary>
/// <remarks>
/// No token has two readings. Numbers and an underscore never encode to <c>_</c>, so the last underscore of the second form stands
/// before its base64. Read as base64 of the first form, that underscore is 111111: it gives a byte outside ASCII or the character
/// <c>?</c> right before the company's digits, and neither parses.
/// </remarks>
internal static class TokenDecoder
{
    /// <summary>Longer than base64(K) can be, and than the second form can be.</summary>
    private const int MaxLength = (SessionKey.MaxLength + 2) / 3 * 4;

    public static bool TryDecode(ReadOnlySpan<byte> token, [NotNullWhen(true)] out SessionKey? key)
    {
        key = null;
        return token.Length is > 0 and <= MaxLength && (TryDecodeWhole(token, out key) || TryDecodeTail(token, out key));
    }

    private static bool TryDecodeWhole(ReadOnlySpan<byte> token, [NotNullWhen(true)] out SessionKey? key)
    {
        Span<char> text = stackalloc char[MaxLength];
        key = null;
        return TryDecodeAscii(token, text, out var length) && SessionKey.TryParse(text[..length], out key);
    }

    private static bool TryDecodeTail(ReadOnlySpan<byte> token, [NotNullWhen(true)] out SessionKey? key)
    {
        Span<char> session = stackalloc char[MaxLength];
        Span<char> ids = stackalloc char[MaxLength];
        key = null;
        var split = token.LastIndexOf((byte)'_');
        return split >= 0
            // Latin1 maps every byte to its own character; ASCII would turn any other byte into a ?, which names another session.
            && Encoding.Latin1.TryGetChars(token[..split], session, out var sessionLength)
            && TryDecodeAscii(token[(split + 1)..], ids, out var idsLength)
            && SessionKey.TryParse(session[..sessionLength], ids[..idsLength], out key);
    }

    private static bool TryDecodeAscii(ReadOnlySpan<byte> base64, Span<char> text, out int length)
    {
        Span<byte> bytes = stackalloc byte[MaxLength];
        length = 0;
        return Base64Text.TryDecode(base64, bytes, out var written) && Encoding.Latin1.TryGetChars(bytes[..written], text, out length);
    }
}
