using System.Buffers;
using ChatServer.Configuration;

namespace ChatServer.Files;

/// <summary>
/// Which files are accepted, by the type that the sender says and by the extension of the name. Neither proves what is in them: it
/// prevents mistakes, while downloads are served so that a browser runs nothing of them.
/// </summary>
internal sealed class FileTypeRule
{
    /// <summary>The type of a file without one (RFC 9110, section 8.3).</summary>
    public const string Unknown = "application/octet-stream";

    private const string AllowedSetting = "CHAT_FILE_TYPES_ALLOWED";
    private const string BlockedSetting = "CHAT_FILE_TYPES_BLOCKED";

    /// <summary>127 for each half (RFC 6838, section 4.2) and the slash.</summary>
    private const int MaxLength = 255;

    private static readonly SearchValues<char> Token =
        SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~");

    private readonly IReadOnlyList<string> _allowed;
    private readonly IReadOnlyList<string> _blocked;

    private FileTypeRule(IReadOnlyList<string> allowed, IReadOnlyList<string> blocked) => (_allowed, _blocked) = (allowed, blocked);

    public static FileTypeRule Read(SettingReader settings) => new(Entries(settings, AllowedSetting), Entries(settings, BlockedSetting));

    /// <summary>
    /// Brings a media type into the form that is kept: lower case, without parameters. Nothing and blanks become <see cref="Unknown"/>.
    /// </summary>
    /// <returns>Null if it is none (RFC 9110, section 8.3.1).</returns>
    public static string? Normalize(string text)
    {
        var type = text.Split(';', 2)[0].Trim().ToLowerInvariant();
        return type.Length == 0 ? Unknown : IsMediaType(type) ? type : null;
    }

    /// <summary>
    /// Blocked is what any entry of CHAT_FILE_TYPES_BLOCKED matches. If CHAT_FILE_TYPES_ALLOWED names types, one of them must match, and
    /// if it names extensions, one of those.
    /// </summary>
    /// <param name="name">The file's name.</param>
    /// <param name="contentType">As <see cref="Normalize"/> gave it.</param>
    public bool Takes(string name, string contentType)
    {
        var extension = Path.GetExtension(name).ToLowerInvariant();
        return !_blocked.Any(entry => Matches(entry, extension, contentType))
            && Array.TrueForAll([true, false], IsAllowed);

        bool IsAllowed(bool ofExtension)
        {
            var entries = _allowed.Where(entry => entry.StartsWith('.') == ofExtension).ToList();
            return entries.Count == 0 || entries.Exists(entry => Matches(entry, extension, contentType));
        }
    }

    private static bool Matches(string entry, string extension, string contentType) =>
        entry.StartsWith('.') ? entry == extension
        : entry.EndsWith("/*", StringComparison.Ordinal) ? contentType.StartsWith(entry[..^1], StringComparison.Ordinal)
        : entry == contentType;

    private static List<string> Entries(SettingReader settings, string name)
    {
        var entries = new List<string>();
        foreach (var entry in settings.List(name).Select(entry => entry.ToLowerInvariant()))
        {
            if (entry is ['.', _, ..] || IsMediaType(entry))
            {
                entries.Add(entry);
            }
            else
            {
                settings.Mistake(name, $"{settings.Shown(name, entry)} is not like image/png, image/* or .pdf.");
            }
        }

        return entries;
    }

    private static bool IsMediaType(string text) =>
        text.Length <= MaxLength
        && text.Split('/') is [{ Length: > 0 } type, { Length: > 0 } subtype]
        && !type.AsSpan().ContainsAnyExcept(Token) && !subtype.AsSpan().ContainsAnyExcept(Token);
}
