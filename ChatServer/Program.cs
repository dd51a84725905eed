using ChatServer;
using ChatServer.Operate;
using ChatServer.Settings;

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
