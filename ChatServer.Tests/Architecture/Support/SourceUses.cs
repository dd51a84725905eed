using System.Text.RegularExpressions;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Architecture.Support;

/// <summary>
/// Which folder uses which, as the using directives say: constants leave no trace in the compiled service. The build refuses directives
/// that nobody needs.
/// </summary>
internal static partial class SourceUses
{
    public static IReadOnlyCollection<Use> Of(string projectFolder)
    {
        var root = Repository.PathOf(projectFolder);
        var uses = new HashSet<Use>();
        foreach (var file in Directory.EnumerateFiles(root, "*.cs", SearchOption.AllDirectories))
        {
            var path = Path.GetRelativePath(root, file).Replace('\\', '/');
            var from = Path.GetDirectoryName(path)!.Replace('\\', '/');
            if (from.Length == 0 || path.StartsWith("obj/", StringComparison.Ordinal) || path.StartsWith("bin/", StringComparison.Ordinal))
            {
                continue;
            }

            uses.UnionWith(Directive().Matches(File.ReadAllText(file))
                .Select(match => new Use(from, Folders.OfNamespace(match.Groups["name"].Value)!, path))
                .Where(use => use.From != use.To));
        }

        return uses;
    }

    [GeneratedRegex(@"^using (?<name>ChatServer\.[\w.]+);", RegexOptions.Multiline | RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Directive();
}
