using System.Net;
using System.Runtime.Versioning;
using ChatServer.Tests.Samples.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Samples;

/// <summary>
/// The image's promises, kept without Docker: it builds from its context alone, and runs as a user who may write nowhere.
/// </summary>
[UnsupportedOSPlatform("windows")]
public sealed class PublishedOutputTests : IDisposable
{
    // nobody
    private const string Unprivileged = "65534";
    private const UnixFileMode Readable = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode Enterable = Readable | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("published-");

    private string App => Path.Combine(_folder.FullName, "app");

    [Fact]
    public async Task Image_BuiltFromItsContext_RunsReadOnlyAndUnprivileged()
    {
        File.SetUnixFileMode(_folder.FullName, Enterable | UnixFileMode.UserWrite);
        await DockerBuild.RunAsync(_folder.CreateSubdirectory("src").FullName, App);
        var published = Contents();
        published.Should().Contain(Path.Combine(App, "ChatServer.dll"));
        published.Should().NotContain(file => file.EndsWith(".pem") || Path.GetFileName(file) == ".env", "secrets stay out of the image");
        MakeReadOnly();
        await using var redis = await SampleRedis.StartAsync(_folder.FullName);
        var port = FreePort.Next();
        string[] command = [.. AsNobody(), "dotnet", Path.Combine(App, "ChatServer.dll")];

        await using (var service = BoundedProcess.Start(command, "/", Environment(port, redis.Port)))
        {
            using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{port}"), Timeout = TimeSpan.FromSeconds(10) };
            using var answer = await Eventually.AnswerAsync(
                () => client.GetAsync("/healthz"), () => service.HasExited, () => service.Output);

            answer.StatusCode.Should().Be(HttpStatusCode.OK);
            if (System.Environment.IsPrivilegedProcess)
            {
                (await File.ReadAllTextAsync($"/proc/{service.Id}/status")).Should().MatchRegex(@"Uid:\s65534\s.*(.|\n)*CapEff:\s0+\n");
            }

            (await HealthCheckAsync(command, port, redis.Port)).Should().Be(0, "the image's health check sees the service");
        }

        (await HealthCheckAsync(command, port, redis.Port)).Should().Be(1, "the image's health check sees that the service has gone");

        Contents().Should().Equal(published, "the service writes nothing beside itself");
    }

    public void Dispose()
    {
        foreach (var folder in _folder.EnumerateDirectories("*", SearchOption.AllDirectories))
        {
            folder.UnixFileMode |= UnixFileMode.UserWrite;
        }

        _folder.Delete(recursive: true);
    }

    /// <summary>The same process, as another user and without any right of root; whoever is not root stays who they are.</summary>
    private static string[] AsNobody() => System.Environment.IsPrivilegedProcess
        ? ["setpriv", $"--reuid={Unprivileged}", $"--regid={Unprivileged}", "--clear-groups", "--bounding-set=-all", "--inh-caps=-all",
            "--no-new-privs"]
        : [];

    /// <summary>As the Dockerfile sets it, with a home that is not there and with what the service needs to start in Production.</summary>
    private static IEnumerable<(string Name, string? Value)> Environment(int port, int redisPort) =>
    [
        ("HOME", "/nonexistent"),
        ("ASPNETCORE_ENVIRONMENT", "Production"),
        ("DOTNET_ENVIRONMENT", null),
        ("ASPNETCORE_URLS", $"http://127.0.0.1:{port}"),
        ("DOTNET_EnableDiagnostics", "0"),
        ("DOTNET_GCgen0size", "0x2000000"),
        ("CHAT_LISTEN_ADDRESS", "127.0.0.1"),
        ("WS_PORT", $"{port}"),
        ("REDIS_HOST", "127.0.0.1"),
        ("REDIS_PORT", $"{redisPort}"),
        ("QUANTUM_SERVER_URL", "http://127.0.0.1:9"),
        ("ALLOWED_HOSTS", "localhost"),
    ];

    /// <summary>What the Dockerfile's HEALTHCHECK runs, in the same container.</summary>
    private static async Task<int> HealthCheckAsync(string[] command, int port, int redisPort) =>
        (await BoundedProcess.RunAsync([.. command, "healthcheck"], "/", TimeSpan.FromSeconds(30), Environment(port, redisPort))).ExitCode;

    private string[] Contents() => [.. Directory.EnumerateFileSystemEntries(App, "*", SearchOption.AllDirectories).Order()];

    private void MakeReadOnly()
    {
        foreach (var entry in Contents())
        {
            File.SetUnixFileMode(entry, Directory.Exists(entry) ? Enterable : Readable);
        }

        File.SetUnixFileMode(App, Enterable);
    }
}
