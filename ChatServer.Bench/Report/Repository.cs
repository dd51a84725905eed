using System.Security.Cryptography;

namespace ChatServer.Bench.Report;

/// <summary>Where this program was built.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Docs => Path.Combine(Root, "docs");

    /// <summary>Outside of version control.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts");

    /// <summary>What ChatServer is made of, as a hash; a commit alone does not change it.</summary>
    public static string HashOfChatServer()
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var folder = Path.Combine(Root, "ChatServer");
        foreach (var file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories)
            .Where(file => Path.GetRelativePath(folder, file).Split(Path.DirectorySeparatorChar)[0] is not ("bin" or "obj"))
            .Order(StringComparer.Ordinal))
        {
            hash.AppendData(File.ReadAllBytes(file));
        }

        return Convert.ToHexString(hash.GetHashAndReset());
    }

    private static string Find()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "ChatServer.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException("This program runs from the repository that it was built in.");
    }
}
