using System.Text.RegularExpressions;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples.Support;

/// <summary>
/// Plays the build stage of the Dockerfile without Docker: its COPY and RUN lines, in their order, in an empty folder, from nothing but
/// what the context holds. A file that the build needs and the Dockerfile or .dockerignore leaves out is missed here too.
/// </summary>
internal static partial class DockerBuild
{
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(4);

    /// <summary>Builds in <paramref name="source"/> and leaves in <paramref name="output"/> what the image has in /app.</summary>
    public static async Task RunAsync(string source, string output)
    {
        var context = new DockerContext(Repository.Root);
        foreach (var (instruction, arguments) in BuildStage())
        {
            switch (instruction)
            {
                case "COPY":
                    var paths = arguments.Split(' ', StringSplitOptions.RemoveEmptyEntries);
                    var target = Path.Combine(source, paths[^1]);
                    Array.ForEach(paths[..^1], path => context.Copy(path, target, intoFolder: paths[^1].EndsWith('/')));
                    break;
                case "RUN":
                    await ShellAsync(arguments.Replace("/app", output), source);
                    break;
                default:
                    instruction.Should().BeOneOf(["WORKDIR"], "this test plays no other instruction");
                    break;
            }
        }
    }

    private static async Task ShellAsync(string command, string directory)
    {
        // Build servers would stay behind, and with them this command's output stream.
        var (exitCode, said) = await BoundedProcess.RunAsync(
            ["/bin/sh", "-c", command],
            directory,
            Limit,
            ("MSBUILDDISABLENODEREUSE", "1"),
            ("DOTNET_CLI_USE_MSBUILD_SERVER", "0"),
            ("UseSharedCompilation", "false"),
            ("DOTNET_CLI_TELEMETRY_OPTOUT", "1"));
        exitCode.Should().Be(0, "{0} ends well:\n{1}", command, said);
    }

    private static IEnumerable<(string Instruction, string Arguments)> BuildStage() =>
        File.ReadAllText(Repository.PathOf("Dockerfile"))
            .Split("\nFROM ")[0]
            .Replace("\\\n", " ")
            .Split('\n')
            .Select(line => Instruction().Match(line))
            .Where(match => match.Success && match.Groups["name"].Value != "FROM")
            .Select(match => (match.Groups["name"].Value, match.Groups["rest"].Value));

    [GeneratedRegex(@"^(?<name>[A-Z]+) +(?<rest>.+)$", RegexOptions.ExplicitCapture, 1000)]
    private static partial Regex Instruction();
}
