namespace ChatServer.Bench.Servers;

/// <summary>
/// Puts the server and its Redis on one core, the generator and the stand-in for Quantum on the other, so that they do not disturb each
/// other.
/// </summary>
internal static class Pinning
{
    public const int ServerCore = 0;
    public const int GeneratorCore = 1;

    /// <summary>Why nothing can be pinned here; null if it can.</summary>
    public static string? Obstacle { get; } =
        Environment.ProcessorCount < 2 ? "this machine gives one core only"
        : Programs.Find("taskset") is null ? "there is no taskset on this machine"
        : null;

    public static IReadOnlyList<string> Wrap(int core, params IReadOnlyList<string> command) =>
        Obstacle is null ? ["taskset", "-c", $"{core}", .. command] : command;
}
