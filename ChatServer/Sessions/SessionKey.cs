using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace ChatServer.Sessions;

/// <summary>
/// Where Quantum keeps a session in Redis: <c>{session_key}_{company_id}_{user_id}</c>. Parsing and writing are each other's
/// inverse: a text that is not exactly what <see cref="ToString"/> writes is no session key, so no session has two names.
/// </summary>
/// <param name="Session">
/// Quantum's session key, 1 to <see cref="MaxSessionLength"/> visible ASCII characters. It may hold underscores, but none of
/// <c>:{}</c>, with which the keys of others are made: Django's cache writes <c>:1:…</c>, ChatServer <c>chat:…</c>.
/// </param>
/// <param name="CompanyId">A positive integer.</param>
/// <param name="UserId">A positive integer, unique over all companies.</param>
internal sealed record SessionKey(string Session, long CompanyId, long UserId)
{
    public const int MaxSessionLength = 256;

    /// <summary>Two underscores and two numbers of up to 19 digits follow the session.</summary>
    public const int MaxLength = MaxSessionLength + 2 * (1 + 19);

    private const string VisibleAsciiButColonAndBraces =
        "!\"#$%&'()*+,-./0123456789;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`abcdefghijklmnopqrstuvwxyz|~";

    private static readonly SearchValues<char> SessionCharacters = SearchValues.Create(VisibleAsciiButColonAndBraces);

    /// <summary>The key in Redis. It is as good as a password: it goes into no log.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Session}_{CompanyId}_{UserId}");

    public static bool TryParse(ReadOnlySpan<char> text, [NotNullWhen(true)] out SessionKey? key)
    {
        key = null;
        var beforeUser = text.LastIndexOf('_');
        var beforeCompany = beforeUser < 0 ? -1 : text[..beforeUser].LastIndexOf('_');
        return beforeCompany >= 0
            && TryParseId(text[(beforeCompany + 1)..beforeUser], out var companyId)
            && TryParseId(text[(beforeUser + 1)..], out var userId)
            && TryCreate(text[..beforeCompany], companyId, userId, out key);
    }

    /// <summary>Reads <c>{company_id}_{user_id}</c>, the part that older front ends encode on its own.</summary>
    public static bool TryParse(ReadOnlySpan<char> session, ReadOnlySpan<char> ids, [NotNullWhen(true)] out SessionKey? key)
    {
        key = null;
        var between = ids.IndexOf('_');
        return between >= 0
            && TryParseId(ids[..between], out var companyId)
            && TryParseId(ids[(between + 1)..], out var userId)
            && TryCreate(session, companyId, userId, out key);
    }

    /// <summary>A positive integer as Quantum writes it: no sign, no space, no leading zero.</summary>
    public static bool TryParseId(ReadOnlySpan<char> text, out long id)
    {
        // The library's parser would let trailing NULs pass.
        id = 0;
        return text is [>= '1' and <= '9', ..]
            && !text.ContainsAnyExceptInRange('0', '9')
            && long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }

    private static bool TryCreate(ReadOnlySpan<char> session, long companyId, long userId, [NotNullWhen(true)] out SessionKey? key)
    {
        var valid = session.Length is > 0 and <= MaxSessionLength && !session.ContainsAnyExcept(SessionCharacters);
        key = valid ? new SessionKey(session.ToString(), companyId, userId) : null;
        return valid;
    }
}
