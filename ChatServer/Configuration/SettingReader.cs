using System.Globalization;

namespace ChatServer.Configuration;

/// <summary>
/// Reads settings by their flat names. A wrong value is collected as a one-line mistake and the fallback is returned, so that
/// one start tells everything that is wrong. A setting that is present but blank counts as not set.
/// </summary>
/// <remarks>
/// The values of secrets never appear in a mistake, nor does a value with an <c>@</c>: what stands before it may be a password, as in
/// <c>redis://user:password@host</c>, wherever somebody has written that. Lines of the .env file that could not be read are mistakes too.
/// </remarks>
internal sealed class SettingReader(IConfiguration configuration)
{
    private const int ShownLength = 60;
    private const string Hidden = "the value (not shown, for it has an @, and a password may stand before it)";

    /// <summary>Shorter entries of a list may stand in any sentence.</summary>
    private const int ShortestHidden = 4;

    private static readonly HashSet<string> Secrets = new(StringComparer.OrdinalIgnoreCase) 
    {
        "REDIS_PASSWORD", "FERNET_KEYS", "QUANTUM_SERVICE_TOKEN",
    };

    private readonly List<string> _mistakes = DotEnv.MistakesOf(configuration);
    private readonly SortedSet<string> _knownNames = new(StringComparer.OrdinalIgnoreCase);

    /// <summary>What is wrong so far, one line each.</summary>
    public IReadOnlyList<string> Mistakes => _mistakes;

    /// <summary>Every name that was asked for: after all options are read, these are the settings that exist.</summary>
    public IReadOnlyCollection<string> KnownNames => _knownNames;

    public string? Text(string name, string? fallback = null) => Find(name) ?? fallback;

    /// <summary>A text that must be set.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="why">What it is needed for, the end of the sentence "NAME: is not set; …", without a full stop.</param>
    /// <returns>The empty string if it is not set.</returns>
    public string Required(string name, string why)
    {
        var value = Find(name);
        if (value is null)
        {
            Mistake(name, $"is not set; {why}.");
        }

        return value ?? "";
    }

    public int Int(string name, int fallback, int min, int max) => (int)Whole(name, fallback, min, max, unit: "");

    public long Long(string name, long fallback, long min, long max) => Whole(name, fallback, min, max, unit: "");

    public TimeSpan Seconds(string name, int fallback, int min, int max) =>
        TimeSpan.FromSeconds(Whole(name, fallback, min, max, unit: "of seconds "));

    public bool Switch(string name, bool fallback)
    {
        var value = Find(name);
        if (value is null)
        {
            return fallback;
        }

        if (bool.TryParse(value, out var on))
        {
            return on;
        }

        Mistake(name, $"{Shown(name, value)} is neither true nor false.");
        return fallback;
    }

    /// <summary>One of an enum's names, written in lower case. Numbers are no names.</summary>
    public T Choice<T>(string name, T fallback) where T : struct, Enum
    {
        var value = Find(name);
        if (value is null)
        {
            return fallback;
        }

        foreach (var choice in Enum.GetValues<T>())
        {
            if (string.Equals(choice.ToString(), value, StringComparison.OrdinalIgnoreCase))
            {
                return choice;
            }
        }

        var choices = string.Join(", ", Enum.GetNames<T>().Select(choice => choice.ToLowerInvariant()));
        Mistake(name, $"{Shown(name, value)} is none of {choices}.");
        return fallback;
    }

    /// <summary>Comma-separated entries, trimmed, without empty ones; in appsettings.json an array will do as well.</summary>
    public IReadOnlyList<string> List(string name)
    {
        _knownNames.Add(name);
        return
        [
            .. Values(name).SelectMany(
                value => value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)),
        ];
    }

    /// <summary>
    /// An absolute http or https address without user, query and fragment. Its path ends in a slash, so that relative addresses
    /// stay below it (RFC 3986, section 5.2.3). Null if it is not set or wrong.
    /// </summary>
    public Uri? HttpUrl(string name)
    {
        var value = Find(name);
        if (value is null)
        {
            return null;
        }

        // An address with an @ may hold a password: it is not shown.
        if (value.Contains('@', StringComparison.Ordinal))
        {
            Mistake(name, "an address with a user name or password is not understood here.");
            return null;
        }

        if (Uri.TryCreate(value, UriKind.Absolute, out var url)
            && (url.Scheme == Uri.UriSchemeHttp || url.Scheme == Uri.UriSchemeHttps)
            && url.Host.Length > 0 && url.Query.Length == 0 && url.Fragment.Length == 0)
        {
            return url.AbsolutePath.EndsWith('/') ? url : new Uri(url.AbsoluteUri + "/");
        }

        Mistake(name, $"{Shown(name, value)} is not an address like https://quantum.example/.");
        return null;
    }

    /// <summary>Notes that a setting is wrong in a way that only its reader can tell.</summary>
    /// <param name="name">The setting's name.</param>
    /// <param name="problem">The rest of the line, with its full stop; it must not quote a secret.</param>
    public void Mistake(string name, string problem)
    {
        _knownNames.Add(name);

        // Whoever wrote the sentence may have quoted the value without Shown, or a library's message does, such as a path in another form.
        var rest = problem.Replace(Hidden, "", StringComparison.Ordinal);
        var mayBeQuoted = MayHoldPassword(name) && (rest.Contains('@', StringComparison.Ordinal)
            || List(name).Any(entry => entry.Length >= ShortestHidden && rest.Contains(entry, StringComparison.Ordinal)));
        _mistakes.Add(ForeignText.Escape($"{name}: {(mayBeQuoted ? $"{Hidden} cannot be used." : problem)}"));
    }

    /// <summary>A value, or an entry of a list, as a mistake may quote it: short, on one line, and never a secret.</summary>
    public string Shown(string name, string value)
    {
        if (Secrets.Contains(name))
        {
            return "the value";
        }

        if (MayHoldPassword(name))
        {
            return Hidden;
        }

        return value.Length <= ShownLength ? $"\"{value}\"" : $"\"{value.AsSpan(0, ShownLength)}…\"";
    }

    /// <summary>The values of all secrets that are set: they must not be in a log.</summary>
    public static IReadOnlyList<string> SecretsOf(IConfiguration configuration)
    {
        var reader = new SettingReader(configuration);
        return [.. Secrets.SelectMany(reader.List), .. Secrets.SelectMany(reader.Values)];
    }

    private IEnumerable<string> Values(string name)
    {
        var section = configuration.GetSection(name);
        return section.Value is { } value ? [value] : section.GetChildren().Select(child => child.Value ?? "");
    }

    /// <summary>Judged by the whole value: a comma in the password makes two entries of it, one of them without the @.</summary>
    private bool MayHoldPassword(string name) => Values(name).Any(value => value.Contains('@', StringComparison.Ordinal));

    private long Whole(string name, long fallback, long min, long max, string unit)
    {
        var value = Find(name);
        if (value is null)
        {
            return fallback;
        }

        // The library's parser would let trailing NULs pass.
        if (!value.Contains('\0', StringComparison.Ordinal)
            && long.TryParse(value, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            && number >= min && number <= max)
        {
            return number;
        }

        var problem = string.Create(CultureInfo.InvariantCulture, $"{Shown(name, value)} is not a whole number {unit}from {min} to {max}.");
        Mistake(name, problem);
        return fallback;
    }

    private string? Find(string name)
    {
        _knownNames.Add(name);
        var section = configuration.GetSection(name);
        if (section.Value is null && section.GetChildren().Any())
        {
            Mistake(name, "is a group or a list where one value is expected.");
            return null;
        }

        if (string.IsNullOrWhiteSpace(section.Value))
        {
            return null;
        }

        // Spaces around a password may be part of it; around anything else they are a typing error.
        return Secrets.Contains(name) ? section.Value : section.Value.Trim();
    }
}
