namespace ChatServer.Configuration;

/// <summary>Finds settings that nobody reads: those with our prefix, and those that are almost the name of one that exists.</summary>
internal static class UnknownSettings
{
    /// <summary>Every setting that only ChatServer has carries this prefix.</summary>
    public const string Prefix = "CHAT_";

    /// <summary>From this length on, two typing errors may still mean a known name: in short names they make another name.</summary>
    private const int LongName = 12;

    private const int OurTolerance = 2;

    /// <returns>One warning for each, with the nearest known name if one is near.</returns>
    public static IReadOnlyList<string> Find(IConfiguration configuration, IReadOnlyCollection<string> knownNames)
    {
        var known = knownNames.ToHashSet(StringComparer.OrdinalIgnoreCase);
        var warnings = new List<string>();
        var unread = configuration.GetChildren().Select(child => child.Key).Where(name => !known.Contains(name));
        foreach (var name in unread.Order(StringComparer.Ordinal))
        {
            var ours = name.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase);
            if (ours || IsSpelledLikeASetting(name))
            {
                var meant = Nearest(name.ToUpperInvariant(), ours, known);
                if (ours || meant is not null)
                {
                    warnings.Add($"{name}: is not a setting of ChatServer.{(meant is null ? "" : $" Did you mean {meant}?")}");
                }
            }
        }

        return warnings;
    }

    /// <summary>Environments and appsettings.json are full of other programs' names; ours are all in capitals.</summary>
    private static bool IsSpelledLikeASetting(string name) =>
        name.All(c => char.IsAsciiLetterUpper(c) || char.IsAsciiDigit(c) || c == '_');

    private static string? Nearest(string name, bool ours, HashSet<string> known)
    {
        if (ours && known.TryGetValue(name[Prefix.Length..], out var withoutPrefix))
        {
            return withoutPrefix;
        }

        return known
            .Select(candidate => (Name: candidate, Distance: Distance(name, candidate.ToUpperInvariant())))
            .Where(candidate => candidate.Distance <= (ours || candidate.Name.Length >= LongName ? OurTolerance : 1))
            .OrderBy(candidate => candidate.Distance)
            .ThenBy(candidate => candidate.Name, StringComparer.Ordinal)
            .Select(candidate => candidate.Name)
            .FirstOrDefault();
    }

    /// <summary>Edit distance in which two letters in the wrong order are one error (optimal string alignment).</summary>
    private static int Distance(string a, string b)
    {
        if (Math.Abs(a.Length - b.Length) > OurTolerance)
        {
            return int.MaxValue;
        }

        var distance = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++)
        {
            for (var j = 0; j <= b.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    distance[i, j] = i + j;
                    continue;
                }

                var change = a[i - 1] == b[j - 1] ? 0 : 1;
                distance[i, j] = Math.Min(
                    distance[i - 1, j - 1] + change,
                    Math.Min(distance[i - 1, j], distance[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    distance[i, j] = Math.Min(distance[i, j], distance[i - 2, j - 2] + 1);
                }
            }
        }

        return distance[a.Length, b.Length];
    }
}
