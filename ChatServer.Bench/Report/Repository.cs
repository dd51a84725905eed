namespace ChatServer.Bench.Report;

/// <summary>Where this program was built.</summary>
internal static class Repository
{
    public static string Root { get; } = Find();

    public static string Docs => Path.Combine(Root, "docs");

    /// <summary>Outside of version control.</summary>
    public static string Artifacts => Path.Combine(Root, "artifacts");

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
