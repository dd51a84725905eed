namespace ChatServer.Tests.Architecture.Support;

/// <summary>The service's folders in their order: a folder may use those that stand before it, never one behind it.</summary>
internal static class Folders
{
    public static readonly IReadOnlyList<string> Order =
    [
        "Configuration",
        "Protocol",
        "Redis",
        "Redis/Subscriptions",
        "WebSockets",
        "Backplane",
        "Files",
        "Sessions",
        "Connections",
        "Quantum",
        "Rooms/Access",
        "Rooms/Fanout",
        "Rooms",
        "Outbox",
        "Users",
        "Embedded",
        "Embedded/Demo",
        "Requests",
        "Endpoints",
        "Operations",
        "Hosting",
    ];

    private const string Root = "ChatServer";

    /// <returns>Null if it is no namespace of the service's, or its root, where Program.cs alone lives.</returns>
    public static string? OfNamespace(string name) =>
        name.StartsWith($"{Root}.", StringComparison.Ordinal) ? name[(Root.Length + 1)..].Replace('.', '/') : null;
}

/// <summary>One folder uses another.</summary>
/// <param name="Where">The type or file that does.</param>
internal sealed record Use(string From, string To, string Where);
