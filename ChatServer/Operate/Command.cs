using ChatServer.Accept;

namespace ChatServer.Operate;

/// <summary>What the command line asks for.</summary>
/// <param name="Mode">What to listen for.</param>
/// <param name="IsHealthCheck">Only ask a running service for its health.</param>
internal sealed record Command(ListenMode Mode, bool IsHealthCheck)
{
    /// <summary>EX_USAGE of sysexits.h.</summary>
    public const int UsageExitCode = 64;

    public const string Usage = """
        Usage: ChatServer             serve ws on WS_PORT (8888)
               ChatServer wss         serve wss on WSS_PORT (8889)
               ChatServer both        serve both
               ChatServer healthcheck exit with 0 if the service on this machine is alive
        """;

    /// <returns>Null where the arguments make no sense.</returns>
    public static Command? Parse(string[] args) => args switch
    {
        [] or ["ws"] => new(ListenMode.Ws, false),
        ["wss"] => new(ListenMode.Wss, false),
        ["both"] => new(ListenMode.Both, false),
        ["healthcheck"] => new(ListenMode.Ws, true),
        _ => null,
    };
}
