using ChatServer.Bench.Report;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Peers;

/// <summary>
/// The relay for Node.js in the folder <c>node</c> beside this file, copied to where its packages are installed, outside of Git.
/// </summary>
internal static class NodePeer
{
    private const string Lock = "package-lock.json";
    private const string Server = "server.mjs";

    private static readonly TimeSpan InstallLimit = TimeSpan.FromMinutes(3);
    private static readonly string Source = Path.Combine(Repository.Root, "ChatServer.Bench", "Peers", "node");
    private static readonly string Installed = Path.Combine(Repository.Artifacts, "node-peer");

    /// <summary>Written when the packages of this lock file are all there.</summary>
    private static readonly string Done = Path.Combine(Installed, "installed.json");

    /// <returns>Why it cannot be had; null if it can.</returns>
    public static async Task<string?> PrepareAsync(CancellationToken cancellation)
    {
        foreach (var program in (string[])["node", "npm"])
        {
            if (Programs.Find(program) is null)
            {
                return $"there is no {program} on this machine (apt-get install nodejs npm)";
            }
        }

        Directory.CreateDirectory(Installed);
        foreach (var name in (string[])["package.json", Lock, Server])
        {
            File.Copy(Path.Combine(Source, name), Path.Combine(Installed, name), overwrite: true);
        }

        var wanted = await File.ReadAllTextAsync(Path.Combine(Installed, Lock), cancellation);
        if (File.Exists(Done) && await File.ReadAllTextAsync(Done, cancellation) == wanted)
        {
            return null;
        }

        await using var npm = Child.Start(new(["npm", "ci", "--no-audit", "--no-fund", "--prefix", Installed]));
        if (await npm.ExitAsync(InstallLimit, cancellation) != 0)
        {
            return $"npm could not install its packages: {npm.Output.Split('\n')[0]}";
        }

        await File.WriteAllTextAsync(Done, wanted, cancellation);
        return null;
    }

    public static Launch LaunchOn(int port, int redis, bool tls, bool deflate) => new([
        "node", Path.Combine(Installed, Server), "--redis", $"{redis}", .. PeerOptions.Listening(port, tls),
        .. deflate ? (string[])["--deflate", "true"] : []]);
}
