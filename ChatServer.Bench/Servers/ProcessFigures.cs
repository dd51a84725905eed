using System.Globalization;

namespace ChatServer.Bench.Servers;

/// <summary>What Linux tells about processes (proc(5)). A process that has ended counts as nothing.</summary>
internal static class ProcessFigures
{
    /// <summary>USER_HZ, which is the same on every architecture that .NET runs on.</summary>
    private const double TicksPerSecond = 100;

    /// <returns>User and system time of all of them together, in seconds.</returns>
    public static double CpuSeconds(IEnumerable<int> pids) => pids.Sum(pid =>
    {
        // The name in brackets may hold anything, so the fields are counted from behind it.
        if (Read($"/proc/{pid}/stat") is not { } stat || stat.LastIndexOf(')') is not (var name and > 0))
        {
            return 0;
        }

        var fields = stat[(name + 2)..].Split(' ');
        return (Number(fields[11]) + Number(fields[12])) / TicksPerSecond;
    });

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
