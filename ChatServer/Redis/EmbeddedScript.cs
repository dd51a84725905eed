using System.Reflection;
using StackExchange.Redis;

namespace ChatServer.Redis;

/// <summary>The Lua scripts, which are embedded in the assembly.</summary>
internal static class EmbeddedScript
{
    /// <summary>
    /// What lets a script write although Redis is full (https://redis.io/docs/latest/develop/programmability/lua-api/#script_flags): for
    /// steps that need next to nothing and that free memory in the end. Redis knows it from version 7 on.
    /// </summary>
    private const string EvenWhenFull = "#!lua flags=allow-oom\n";

    private static readonly Version KnowsFlags = new(7, 0);

    /// <returns>The script as this Redis may run it although it is full.</returns>
    public static string AllowedWhenFull(string script, IConnectionMultiplexer redis) =>
        Array.TrueForAll(redis.GetServers(), server => server.Version >= KnowsFlags) ? EvenWhenFull + script : script;

    /// <param name="name">The file's name in a folder Scripts.</param>
    public static string Load(string name)
    {
        var assembly = Assembly.GetExecutingAssembly();
        using var stream = assembly.GetManifestResourceStream($"ChatServer.Scripts.{name}")
            ?? throw new InvalidOperationException($"The script {name} is not in the assembly.");
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
