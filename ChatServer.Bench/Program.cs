using System.Runtime.InteropServices;
using ChatServer.Bench;
using ChatServer.Bench.Drive;
using ChatServer.Bench.Files;
using ChatServer.Bench.Load;
using ChatServer.Bench.Micro;
using ChatServer.Bench.Peers;
using ChatServer.Bench.Saving;
using ChatServer.Bench.Soak;

using var stop = new CancellationTokenSource();
using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);

try
{
    return args switch
    {
        ["load", .. var options] => await LoadCommand.RunAsync(LoadOptions.Parse(options), stop.Token),
        ["saves", .. var options] => await SavesCommand.RunAsync(SavesOptions.Parse(options), stop.Token),
        ["soak", .. var options] => await SoakCommand.RunAsync(SoakOptions.Parse(options), stop.Token),
        ["files"] => await FilesCommand.RunAsync(stop.Token),
        ["micro", .. var options] => MicroCommand.Run(options),
        ["drive", var plan] => await DriveCommand.RunAsync(plan),
        [QuantumStandIn.Verb, .. var options] => await QuantumStandIn.RunAsync(new(options)),
        [NaivePeer.Verb, .. var options] => await NaivePeer.RunAsync(new(options)),
        [FilePeer.Verb, .. var options] => await FilePeer.RunAsync(new(options)),
        [SignalRPeer.Verb, .. var options] => await SignalRPeer.RunAsync(new(options)),
        _ => throw new FormatException("What is to be done?"),
    };
}
catch (FormatException wrong)
{
    const int usageExitCode = 64;
    await Console.Error.WriteLineAsync($"{wrong.Message}\n{Usage.Text}");
    return usageExitCode;
}
catch (OperationCanceledException) when (stop.IsCancellationRequested)
{
    const int interruptedExitCode = 130;
    return interruptedExitCode;
}

void Stop(PosixSignalContext signal)
{
    // What was started is ended on the way out.
    signal.Cancel = true;
    stop.Cancel();
}
