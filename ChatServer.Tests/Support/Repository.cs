namespace ChatServer.Tests.Support;

/// <summary>The source tree that the tests were built from.</summary>
internal static class Repository
{
    public static string Root { get; } = Find(new DirectoryInfo(AppContext.BaseDirectory));

    public static string PathOf(params string[] parts) => Path.Combine([Root, .. parts]);

    private static string Find(DirectoryInfo? folder) =>
        folder is null ? throw new DirectoryNotFoundException($"No ChatServer.sln above {AppContext.BaseDirectory}")
        : File.Exists(Path.Combine(folder.FullName, "ChatServer.sln")) ? folder.FullName
        : Find(folder.Parent);
}
