using System.Globalization;
using System.Text;

namespace ChatServer.Files;

/// <summary>Makes a bare file name of what a client sends: it can't lead into another folder, and it reads as it is.</summary>
internal static class FileName
{
    /// <summary>The name if nothing is left.</summary>
    public const string Nameless = "file";

    /// <summary>The longest name that common file systems take, in bytes of UTF-8.</summary>
    public const int MaxBytes = 255;

    /// <summary>An extension longer than that is cut like any other text.</summary>
    private const int MaxExtensionBytes = 32;

    /// <summary>
    /// Drops folders (of either slash), a drive, control characters, line separators, and the characters that change the text direction,
    /// with which an <c>exe</c> may look like a <c>txt</c> (Unicode Technical Report 36, section 2.10). Joiners stay: Persian and many
    /// emoji are written with them. A name too long is cut before its extension.
    /// </summary>
    public static string Clean(string name)
    {
        var bare = name[(name.AsSpan().LastIndexOfAny('/', '\\') + 1)..];
        bare = bare is [var drive, ':', ..] && char.IsAsciiLetter(drive) ? bare[2..] : bare;
        var kept = new StringBuilder(bare.Length);
        foreach (var rune in bare.EnumerateRunes())
        {
            if (!IsDropped(rune))
            {
                kept.Append(rune.ToString());
            }
        }

        // Windows drops dots and blanks at a name's end, so that another name would come of it.
        var clean = kept.ToString().TrimStart().TrimEnd([.. " .", '\u00A0', '\u3000']);
        return clean.Length == 0 ? Nameless : Shorten(clean);
    }

    private static bool IsDropped(Rune rune) =>
        Rune.GetUnicodeCategory(rune) is UnicodeCategory.Control or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator
        || (Rune.GetUnicodeCategory(rune) is UnicodeCategory.Format && rune.Value is not (0x200C or 0x200D) && !IsTag(rune));

    /// <summary>What the flags of England, Scotland and Wales are written with.</summary>
    private static bool IsTag(Rune rune) => rune.Value is >= 0xE0020 and <= 0xE007F;

    private static string Shorten(string name)
    {
        if (Encoding.UTF8.GetByteCount(name) <= MaxBytes)
        {
            return name;
        }

        var extension = Path.GetExtension(name);
        extension = Encoding.UTF8.GetByteCount(extension) <= MaxExtensionBytes ? extension : "";
        var left = MaxBytes - Encoding.UTF8.GetByteCount(extension);
        var kept = new StringBuilder();
        var characters = StringInfo.GetTextElementEnumerator(name[..^extension.Length]);
        while (characters.MoveNext() && (left -= Encoding.UTF8.GetByteCount(characters.GetTextElement())) >= 0)
        {
            kept.Append(characters.GetTextElement());
        }

        return kept.Append(extension).ToString();
    }
}
