
// Read by the first socket: what a socket has to say is handled on the thread that heard it, since nothing here blocks that thread.
// (dotnet/runtime, SocketAsyncEngine; an operator's own value counts.)
using ChatServer.Configuration;
using ChatServer.Hosting;
using ChatServer.Operations;

const string InlineCompletions = "DOTNET_SYSTEM_NET_SOCKETS_INLINE_COMPLETIONS";
if (Environment.GetEnvironmentVariable(InlineCompletions) is null)
{
    Environment.SetEnvironmentVariable(InlineCompletions, "1");
}

if (Command.Parse(args) is not { } command)
{
    await Console.Error.WriteLineAsync(Command.Usage);
    return Command.UsageExitCode;
}

try
{
    return await ChatServerHost.RunAsync(command);
}
catch (SettingsException exception)
{
    await Console.Error.WriteLineAsync(exception.Message);
    return SettingsException.ExitCode;
}
