using System.Globalization;

namespace ChatServer.Connections;

/// <summary>How many files, sockets among them, this process may have open (<c>RLIMIT_NOFILE</c>, getrlimit(2)).</summary>
internal static class OpenFiles
{
    /// <summary>What is kept for the rest: some 200 of the runtime's own files, Redis, Quantum.</summary>
    private const int Reserve = 320;

    private const string Limits = "/proc/self/limits";

    /// <returns>How many sockets of clients that leaves room for; null if nothing bounds them, or it cannot be told.</returns>
    public static int? MaxSockets() => Most is { } most ? Math.Max(most - Reserve, most / 4) : null;

    /// <summary>The soft limit, which .NET has raised to the hard one at its start.</summary>
    public static int? Most { get; } = File.Exists(Limits) ? Read(File.ReadLines(Limits)) : null;

    /// <param name="limits">The lines of /proc/self/limits (proc(5)).</param>
    internal static int? Read(IEnumerable<string> limits) =>
        limits.FirstOrDefault(line => line.StartsWith("Max open files", StringComparison.Ordinal)) is { } line
        && line.Split(' ', StringSplitOptions.RemoveEmptyEntries) is [_, _, _, var soft, ..]
        && int.TryParse(soft, NumberStyles.None, CultureInfo.InvariantCulture, out var most)
            ? most
            : null;
}
