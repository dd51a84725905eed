namespace ChatServer.Bench.Servers;

/// <summary>How to start a process.</summary>
/// <param name="Command">Program and arguments.</param>
internal sealed record Launch(IReadOnlyList<string> Command)
{
    /// <summary>Added to our environment; null takes a variable out.</summary>
    public IEnumerable<(string Name, string? Value)> Environment { get; init; } = [];

    /// <summary>Files that it finds in its working directory, which is its own and goes with it.</summary>
    public IEnumerable<(string Name, string Text)> Files { get; init; } = [];
}
