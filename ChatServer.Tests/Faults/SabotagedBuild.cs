using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults;

/// <summary>The service built so that its protections can be switched off one by one, in a folder of its own beside which the usual build is left alone.</summary>
public sealed class SabotagedBuild : IAsyncLifetime
{
    private static readonly TimeSpan BuildWithin = TimeSpan.FromMinutes(5);

    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("sabotage-");

    /// <summary>Its ChatServer.dll.</summary>
    internal string Program => Path.Combine(_folder.FullName, "bin", "ChatServer", "debug", "ChatServer.dll");

    public async ValueTask InitializeAsync()
    {
        var (exitCode, output) = await BoundedProcess.RunAsync(
            ["dotnet", "build", Repository.PathOf("ChatServer"), "-p:Sabotage=true", "--artifacts-path", _folder.FullName, "-v", "quiet", "-nologo"],
            Repository.Root, BuildWithin);
        exitCode.Should().Be(0, "{0}", output);
    }

    public ValueTask DisposeAsync()
    {
        _folder.Delete(recursive: true);
        return ValueTask.CompletedTask;
    }
}
