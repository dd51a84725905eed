using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// The service built so that its protections can be switched off one by one, in a folder of its own; the usual build is left
/// alone. Built when it is first needed: a run without these tests does not pay for it.
/// </summary>
public sealed class UnprotectedBuild : IAsyncLifetime
{
    private static readonly TimeSpan BuildWithin = TimeSpan.FromMinutes(10);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("unprotected-");
    private bool _isBuilt;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    /// <summary>Gives its ChatServer.dll. One test at a time.</summary>
    internal async Task<string> ProgramAsync()
    {
        if (!_isBuilt)
        {
            var (exitCode, output) = await BoundedProcess.RunAsync(
                ["dotnet", "build", Repository.PathOf(
                    "ChatServer"), "-p:FaultInjection=true", "--artifacts-path", _folder.FullName, "-v", "quiet", "-nologo"],
                Repository.Root, BuildWithin);
            exitCode.Should().Be(0, "{0}", output);
            _isBuilt = true;
        }

        return Path.Combine(_folder.FullName, "bin", "ChatServer", "debug", "ChatServer.dll");
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
