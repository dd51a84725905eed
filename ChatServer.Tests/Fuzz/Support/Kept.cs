using ChatServer.Tests.Support;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Inputs that something once fell over: <c>Fuzz/Corpus/{target}.txt</c>, a line for each, base64 and what was wrong.</summary>
internal static class Kept
{
    private static readonly string Folder = Repository.PathOf("ChatServer.Tests", "Fuzz", "Corpus");

    /// <summary>The targets that have any.</summary>
    public static IEnumerable<string> Targets => Directory.EnumerateFiles(Folder, "*.txt").Select(Path.GetFileNameWithoutExtension)!;

    public static IEnumerable<byte[]> Of(string target) =>
        Targets.Contains(target)
            ? File.ReadLines(Path.Combine(Folder, target + ".txt")).Where(line => line.Length > 0)
                .Select(line => Convert.FromBase64String(line.Split(' ')[0]))
            : [];
}
