using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace ChatServer.Configuration;

/// <summary>
/// The text of a .env file, read as python-dotenv reads it: comments, <c>export</c>, quotes, escapes in quotes, quoted values over
/// several lines, and <c> #</c> comments after a value. Of two equal names the last counts. A <c>$</c> is a <c>$</c>: nothing is
/// expanded, as in django-environ's read_env.
/// </summary>
/// <param name="Settings">The names and values.</param>
/// <param name="Mistakes">One line for each line that is not understood, with its number and without its text, which may be secret.</param>
internal sealed record DotEnvText(IReadOnlyDictionary<string, string> Settings, IReadOnlyList<string> Mistakes)
{
    public static readonly DotEnvText Empty = new(new Dictionary<string, string>(), []);

    public static DotEnvText Unreadable(string problem) => Empty with { Mistakes = [$"{DotEnv.FileName}: {problem}"] };

    public static DotEnvText Parse(string text)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        var mistakes = new List<string>();
        var cursor = new Cursor(text.StartsWith('\uFEFF') ? text[1..] : text);
        while (cursor.SkipBlankLines())
        {
            var line = cursor.Line;
            if (cursor.Peek == '#')
            {
                cursor.TakeLine();
            }
            else if (TryReadSetting(ref cursor, out var name, out var value, out var problem))
            {
                settings[name] = value;
            }
            else
            {
                mistakes.Add($"{DotEnv.FileName} line {line}: {problem}");
                cursor.TakeLine();
            }
        }

        return new DotEnvText(settings, mistakes);
    }

    private static bool TryReadSetting(ref Cursor cursor, [NotNullWhen(true)] out string? name, out string value, out string problem)
    {
        value = "";
        problem = "is not of the form NAME=value.";
        name = cursor.TakeName();
        if (name == "export" && cursor.Peek is ' ' or '\t')
        {
            cursor.SkipSpaces();
            name = cursor.TakeName();
        }

        cursor.SkipSpaces();
        if (name.Length == 0 || cursor.Peek != '=')
        {
            return false;
        }

        cursor.Next();
        cursor.SkipSpaces();
        if (cursor.Peek is not ('"' or '\''))
        {
            value = Unquoted(cursor.TakeLine());
            return true;
        }

        // On a copy: if the quote is never closed, only its line is lost, not the rest of the file.
        var ahead = cursor;
        if (!ahead.TryTakeQuoted(out value))
        {
            problem = "the quote is never closed.";
            return false;
        }

        cursor = ahead;
        if (cursor.TakeLine().TrimStart() is not ("" or ['#', ..]))
        {
            problem = "there is text behind the closing quote.";
            return false;
        }

        return true;
    }

    /// <summary>A # starts a comment only behind a value and a space: KEY=#1, KEY= #1 and KEY=a#b are values.</summary>
    private static string Unquoted(ReadOnlySpan<char> text)
    {
        for (var i = 1; i < text.Length; i++)
        {
            if (text[i] == '#' && char.IsWhiteSpace(text[i - 1]))
            {
                text = text[..i];
            }
        }

        return text.TrimEnd().ToString();
    }

    private ref struct Cursor(string text)
    {
        private const char End = '\0';
        private int _at;

        public int Line { get; private set; } = 1;

        public readonly char Peek => _at < text.Length ? text[_at] : End;

        public void Next()
        {
            // A CR alone and CR LF both end one line.
            if (Peek == '\n' || (Peek == '\r' && !(_at + 1 < text.Length && text[_at + 1] == '\n')))
            {
                Line++;
            }

            _at++;
        }

        /// <returns>False at the end of the text.</returns>
        public bool SkipBlankLines()
        {
            while (_at < text.Length && char.IsWhiteSpace(Peek))
            {
                Next();
            }

            return _at < text.Length;
        }

        public void SkipSpaces()
        {
            while (Peek is not ('\r' or '\n') && char.IsWhiteSpace(Peek))
            {
                _at++;
            }
        }

        public string TakeName()
        {
            var start = _at;
            while (char.IsAsciiLetterOrDigit(Peek) || Peek is '_' or '.' or '-')
            {
                _at++;
            }

            return text[start.._at];
        }

        /// <summary>Takes what is left of the line, without its end.</summary>
        public ReadOnlySpan<char> TakeLine()
        {
            var rest = text.AsSpan(_at);
            var length = rest.IndexOfAny('\r', '\n');
            length = length < 0 ? rest.Length : length;
            _at += length;
            return rest[..length];
        }

        public bool TryTakeQuoted(out string value)
        {
            var quote = Peek;
            var taken = new StringBuilder();
            for (Next(); _at < text.Length; Next())
            {
                if (Peek == quote)
                {
                    Next();
                    value = taken.ToString();
                    return true;
                }

                if (Peek == '\\' && _at + 1 < text.Length && Unescaped(text[_at + 1], quote) is { } unescaped)
                {
                    Next();
                    taken.Append(unescaped);
                }
                else
                {
                    taken.Append(Peek);
                }
            }

            value = "";
            return false;
        }

        private static char? Unescaped(char c, char quote) => c switch
        {
            '\\' or '\'' => c,
            _ when quote == '\'' => null,
            '"' => c,
            'a' => '\a',
            'b' => '\b',
            'f' => '\f',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\v',
            _ => null,
        };
    }
}
