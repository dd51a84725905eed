using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Report;

/// <summary>What a figure depends on besides the programs: no names, no dates.</summary>
internal static partial class Machine
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(10);

    /// <returns>Lines of a Markdown list.</returns>
    public static async Task<string> DescribeAsync(CancellationToken cancellation)
    {
        var processor = Field("/proc/cpuinfo", "model name");
        var memory = Field("/proc/meminfo", "MemTotal") is { } total
            ? double.Parse(total.Split(' ')[0], CultureInfo.InvariantCulture) / (1024 * 1024)
            : 0;
        var redis = await RedisVersionAsync(cancellation);
        return string.Create(CultureInfo.InvariantCulture, $"""
            - processor: {processor ?? RuntimeInformation.ProcessArchitecture.ToString()}, {Environment.ProcessorCount} cores
            - memory: {memory:F0} GiB
            - {RuntimeInformation.OSDescription}, kernel {KernelRelease()}
            - {RuntimeInformation.FrameworkDescription}, Redis {redis}
            - {(Pinning.Obstacle is { } obstacle ? $"nothing pinned, as {obstacle}" : "server and Redis on one core; generator and the stand-in for Quantum on the other")}
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

    private static async Task<string> RedisVersionAsync(CancellationToken cancellation)
    {
        await using var redis = Child.Start(new(["redis-server", "--version"]));
        await redis.ExitAsync(AnswerLimit, cancellation);
        return Version().Match(redis.Output) is { Success: true } match ? match.Groups["version"].Value : "of unknown version";
    }

    [GeneratedRegex(@"v=(?<version>[\d.]+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Version();
}
