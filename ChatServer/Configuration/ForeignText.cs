using System.Globalization;
using System.Text;

namespace ChatServer.Configuration;

/// <summary>
/// Text of others (clients, Quantum, Redis) as an operator may see it in a log or a terminal: it can neither begin a new line, steer the
/// terminal, nor change its own direction.
/// </summary>
internal static class ForeignText
{
    /// <summary>What is longer is cut after so many characters (UTF-16 code units).</summary>
    public const int MaxCharacters = 200;

    /// <summary>
    /// Control and format characters, line separators and halves of surrogate pairs become escapes such as <c>\u202e</c>. Text without them
    /// stays as it is.
    /// </summary>
    public static string Escape(string text)
    {
        if (IsPlain(text))
        {
            return text;
        }

        var shown = new StringBuilder(text.Length + 16);
        for (var at = 0; at < text.Length;)
        {
            var isWhole = Rune.TryGetRuneAt(text, at, out var rune);
            var characters = text.AsSpan(at, isWhole ? rune.Utf16SequenceLength : 1);
            if (isWhole && !IsHidden(Rune.GetUnicodeCategory(rune)))
            {
                shown.Append(characters);
            }
            else
            {
                foreach (var character in characters)
                {
                    shown.Append(CultureInfo.InvariantCulture, $"\\u{(int)character:x4}");
                }
            }

            at += characters.Length;
        }

        return shown.ToString();
    }

    /// <summary>Cuts what is longer than <paramref name="length"/>, between two characters, and says so with an ellipsis.</summary>
    public static string Cut(string text, int length = MaxCharacters)
    {
        if (text.Length <= length)
        {
            return text;
        }

        return $"{text.AsSpan(0, char.IsHighSurrogate(text[length - 1]) ? length - 1 : length)}…";
    }

    /// <summary>Cut and escaped.</summary>
    public static string Shown(string text) => Escape(Cut(text));

    private static bool IsPlain(string text)
    {
        foreach (var character in text)
        {
            if (IsHidden(char.GetUnicodeCategory(character)))
            {
                return false;
            }
        }

        return true;
    }

    private static bool IsHidden(UnicodeCategory category) =>
        category is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.Surrogate
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator;
}
