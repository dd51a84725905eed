using System.Reflection;

namespace ChatServer.Redis;

/// <summary>The Lua scripts, which are embedded in the assembly.</summary>
internal static class EmbeddedScript
{
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
