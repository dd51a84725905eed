using ChatServer.Endpoints;

namespace ChatServer.Operations;

/// <summary>What to do.</summary>
internal enum CommandKind
{
    Serve,
    HealthCheck,
    DeadLetters,
}

/// <summary>What the command line asks for.</summary>
/// <param name="Kind">What to do.</param>
/// <param name="Mode">What to listen for.</param>
/// <param name="Arguments">What the command is to do, and with what.</param>
internal sealed record Command(CommandKind Kind, ListenMode Mode, IReadOnlyList<string> Arguments)
{
    /// <summary>EX_USAGE of sysexits.h.</summary>
    public const int UsageExitCode = 64;

    public const string Usage = """
        Usage: ChatServer                                  serve ws on WS_PORT (8888)
               ChatServer wss                              serve wss on WSS_PORT (8889)
               ChatServer both                             serve both
               ChatServer healthcheck                      exit with 0 if the service on this machine is alive
               ChatServer dead-letters list                what Quantum refused for good
               ChatServer dead-letters retry [name…]       give it, or all, to Quantum again
               ChatServer dead-letters drop name…          forget it
        A name is company/room/user/identifier, as the list has it, or the identifier alone.
        """;

    /// <returns>Null if the arguments make no sense.</returns>
    public static Command? Parse(string[] args) => args switch
    {
        [] or ["ws"] => new(CommandKind.Serve, ListenMode.Ws, []),
        ["wss"] => new(CommandKind.Serve, ListenMode.Wss, []),
        ["both"] => new(CommandKind.Serve, ListenMode.Both, []),
        ["healthcheck"] => new(CommandKind.HealthCheck, ListenMode.Ws, []),
        ["dead-letters", "list"] or ["dead-letters", "retry", ..] or ["dead-letters", "drop", _, ..] =>
            new(CommandKind.DeadLetters, ListenMode.Ws, args[1..]),
        _ => null,
    };
}
