namespace ChatServer.Bench.Servers;

/// <summary>Programs of this machine.</summary>
internal static class Programs
{
    /// <summary>Where servers are installed; a user's PATH often lacks it.</summary>
    private const string Servers = "/usr/sbin";

    /// <returns>The program's file; null if there is none.</returns>
    public static string? Find(string name) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries)
            .Append(Servers)
            .Select(folder => Path.Combine(folder, name))
            .FirstOrDefault(File.Exists);
}
