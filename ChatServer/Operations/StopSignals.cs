using System.Runtime.InteropServices;

namespace ChatServer.Operations;

/// <summary>
/// Hears SIGTERM and SIGINT beside the host, for which the first one is enough: whoever sends a second one wants no drain any more. As long
/// as it exists no such signal ends the process by itself.
/// </summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration _terminate;
    private readonly PosixSignalRegistration _interrupt;
    private Action? _second;
    private int _count;

    public StopSignals() =>
        (_terminate, _interrupt) = (
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, Heard), PosixSignalRegistration.Create(PosixSignal.SIGINT, Heard));

    /// <param name="second">Called with the second signal, and with each one after it.</param>
    public void OnSecond(Action second) => Volatile.Write(ref _second, second);

    public void Dispose()
    {
        _terminate.Dispose();
        _interrupt.Dispose();
    }

    private void Heard(PosixSignalContext context)
    {
        context.Cancel = true;
        if (Interlocked.Increment(ref _count) > 1)
        {
            Volatile.Read(ref _second)?.Invoke();
        }
    }
}
