using System.Text.RegularExpressions;

namespace ChatServer.Tests.Samples.Support;

/// <summary>What <c>.dockerignore</c> leaves of a source tree: the last line that matches a path, or a folder above it, decides.</summary>
internal sealed class DockerContext
{
    private readonly string _root;
    private readonly (Regex Pattern, bool Keeps)[] _rules;

    public DockerContext(string root)
    {
        _root = root;
        _rules = [.. File.ReadLines(Path.Combine(root, ".dockerignore"))
            .Select(line => line.Trim())
            .Where(line => line.Length > 0 && line[0] != '#')
            .Select(line => (Translate(line.TrimStart('!')), line[0] == '!'))];
    }

    public bool Contains(string path) => _rules.LastOrDefault(rule => rule.Pattern.IsMatch(path)) is { Pattern: null } or { Keeps: true };

    /// <summary>Does what <c>COPY source target</c> does for a file or the content of a folder, seen from the context's root.</summary>
    public void Copy(string source, string target, bool intoFolder)
    {
        var from = Path.Combine(_root, source);
        if (File.Exists(from) && Contains(source))
        {
            CopyFile(from, intoFolder ? Path.Combine(target, Path.GetFileName(source)) : target);
            return;
        }

        var prefix = source.TrimEnd('/') + "/";
        var files = Files(prefix).Where(Contains).ToList();
        files.Should().NotBeEmpty("COPY {0} finds nothing", source);
        files.ForEach(file => CopyFile(Path.Combine(_root, file), Path.Combine(target, file[prefix.Length..])));
    }

    private IEnumerable<string> Files(string prefix) =>
        Directory.EnumerateFiles(Path.Combine(_root, prefix), "*", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(_root, file).Replace('\\', '/'));

    private static void CopyFile(string from, string to)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(to)!);
        File.Copy(from, to, overwrite: true);
    }

    private static Regex Translate(string pattern)
    {
        var escaped = Regex.Escape(pattern.Trim('/')).Replace(@"\*\*/", "(.*/)?").Replace(@"\*", "[^/]*").Replace(@"\?", "[^/]");
        return new Regex($"^{escaped}(/.*)?$", RegexOptions.ExplicitCapture, TimeSpan.FromSeconds(1));
    }
}
