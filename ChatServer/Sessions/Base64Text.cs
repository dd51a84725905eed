using System.Buffers;
using System.Buffers.Text;

namespace ChatServer.Sessions;

/// <summary>Base64 as browsers and Python send it: either alphabet of RFC 4648 (sections 4 and 5), padded or not.</summary>
internal static class Base64Text
{
    private const int MaxPadding = 2;

    private static readonly SearchValues<byte> Standard =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"u8);

    private static readonly SearchValues<byte> Url =
        SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"u8);

    /// <summary>The most bytes that a text of this length can decode to.</summary>
    public static int MaxDecodedLength(int textLength) => Base64Url.GetMaxDecodedLength(textLength);

    /// <summary>Decodes one alphabet or the other; a text in both, with spaces, or with the wrong padding is refused.</summary>
    /// <param name="text">The encoded text.</param>
    /// <param name="bytes">Space for at least <see cref="MaxDecodedLength"/> bytes.</param>
    /// <param name="written">How many bytes were decoded.</param>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> bytes, out int written)
    {
        if (TryDecodeUrl(text, bytes, out written))
        {
            return true;
        }

        if (!TryTrimPadding(text, Standard, out var digits))
        {
            return false;
        }

        var translated = ArrayPool<byte>.Shared.Rent(digits.Length);
        try
        {
            var url = translated.AsSpan(0, digits.Length);
            digits.CopyTo(url);
            url.Replace((byte)'+', (byte)'-');
            url.Replace((byte)'/', (byte)'_');
            return Base64Url.DecodeFromUtf8(url, bytes, out _, out written) == OperationStatus.Done;
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(translated, clearArray: true);
        }
    }

    /// <summary>Decodes the URL alphabet only.</summary>
    public static bool TryDecodeUrl(ReadOnlySpan<byte> text, Span<byte> bytes, out int written)
    {
        written = 0;
        return TryTrimPadding(text, Url, out var digits)
            && Base64Url.DecodeFromUtf8(digits, bytes, out _, out written) == OperationStatus.Done;
    }

    /// <summary>The library would skip spaces and take % for padding, hence the look at every character.</summary>
    private static bool TryTrimPadding(ReadOnlySpan<byte> text, SearchValues<byte> alphabet, out ReadOnlySpan<byte> digits)
    {
        digits = text.TrimEnd((byte)'=');
        var padding = text.Length - digits.Length;
        return padding <= MaxPadding && (padding == 0 || text.Length % 4 == 0) && !digits.ContainsAnyExcept(alphabet);
    }
}
