using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Report;

/// <summary>What a figure depends on besides the programs: no names, no dates.</summary>
internal static partial class Machine
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <param name="servers">Those whose versions matter, if they are here.</param>
    /// <returns>Lines of a Markdown list.</returns>
    public static async Task<string> DescribeAsync(IReadOnlyList<MachineProgram> servers, CancellationToken cancellation)
    {
        var processor = Field("/proc/cpuinfo", "model name");
        var memory = Field("/proc/meminfo", "MemTotal") is { } total
            ? double.Parse(total.Split(' ')[0], CultureInfo.InvariantCulture) / (1024 * 1024)
            : 0;
        var programs = new StringBuilder(RuntimeInformation.FrameworkDescription);
        foreach (var (title, program, option) in servers)
        {
            if (Programs.Find(program) is { } file)
            {
                programs.Append(CultureInfo.InvariantCulture, $", {title} {await VersionAsync(file, option, cancellation)}");
            }
        }

        return string.Create(CultureInfo.InvariantCulture, $"""
            - processor: {processor ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores
            - memory: {memory:F0} GiB
            - {RuntimeInformation.OSDescription}, kernel {KernelRelease()}
            - {programs}
            - {(Pinning.Obstacle is { } obstacle ? $"nothing pinned, as {obstacle}" : "server and Redis on one core; generator and Quantum on the other")}
            """);
    }

    private static string KernelRelease() =>
        File.Exists("/proc/sys/kernel/osrelease")
            ? File.ReadAllText("/proc/sys/kernel/osrelease").Trim()
            : Environment.OSVersion.Version.ToString();

    private static string? Field(string file, string name) =>
        File.Exists(file)
            ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
            : null;

    private static async Task<string> VersionAsync(string program, string option, CancellationToken cancellation)
    {
        await using var child = Child.Start(new([program, option]));
        await child.ExitAsync(AnswerLimit, cancellation);
        return Version().Match(child.Output) is { Success: true } match ? match.Groups["version"].Value : "of unknown version";
    }

    [GeneratedRegex(@"(v=|v|/)(?<version>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();
}

/// <summary>A program that tells its version.</summary>
/// <param name="Option">Makes it do so.</param>
internal sealed record MachineProgram(string Title, string Program, string Option)
{
    public static MachineProgram Redis { get; } = new("Redis", "redis-server", "--version");

    public static MachineProgram Node { get; } = new("Node.js", "node", "--version");

    public static MachineProgram Nginx { get; } = new("nginx", "nginx", "-v");
}
