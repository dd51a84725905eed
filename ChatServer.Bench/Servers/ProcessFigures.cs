using System.Globalization;

namespace ChatServer.Bench.Servers;

/// <summary>What Linux tells about processes (proc(5)). A process that has ended counts as nothing.</summary>
internal static class ProcessFigures
{
    /// <summary>USER_HZ, which is the same on every architecture that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <returns>User and system time of all of them together, in seconds.</returns>
    public static double CpuSeconds(IEnumerable<int> pids) => pids.Sum(pid =>
        Fields(pid) is { } fields ? (Number(fields[11]) + Number(fields[12])) / TicksPerSecond : 0);

    /// <returns>A process, those that it has started, and those that they have.</returns>
    public static IReadOnlyList<int> Tree(int root)
    {
        var parents = Directory.EnumerateDirectories("/proc")
            .Select(folder => int.TryParse(Path.GetFileName(folder), CultureInfo.InvariantCulture, out var pid) ? pid : 0)
            .Where(pid => pid > 0)
            .Select(pid => (Pid: pid, Parent: Fields(pid) is { } fields ? Number(fields[1]) : 0))
            .ToLookup(each => each.Parent, each => each.Pid);
        var tree = new List<int> { root };
        for (var index = 0; index < tree.Count; index++)
        {
            tree.AddRange(parents[tree[index]]);
        }

        return tree;
    }

    /// <returns>Resident memory of all of them together, in bytes (VmRSS).</returns>
    public static long ResidentBytes(IEnumerable<int> pids) => pids.Sum(pid =>
        Read($"/proc/{pid}/status")?.Split('\n').FirstOrDefault(line => line.StartsWith("VmRSS:", StringComparison.Ordinal)) is { } line
            ? 1024 * Number(line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1])
            : 0);

    /// <returns>Open files and sockets of all of them together.</returns>
    public static int Handles(IEnumerable<int> pids) => pids.Sum(pid =>
    {
        try
        {
            return Directory.GetFileSystemEntries($"/proc/{pid}/fd").Length;
        }
        catch (IOException)
        {
            return 0;
        }
    });

    /// <summary>
    /// What stands in stat behind the name. The name in brackets may hold anything, so the fields are counted from behind it.
    /// </summary>
    private static string[]? Fields(int pid) =>
        Read($"/proc/{pid}/stat") is { } stat && stat.LastIndexOf(')') is var name and > 0 ? stat[(name + 2)..].Split(' ') : null;

    private static long Number(string digits) => long.Parse(digits, CultureInfo.InvariantCulture);

    private static string? Read(string path)
    {
        try
        {
            return File.ReadAllText(path);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
