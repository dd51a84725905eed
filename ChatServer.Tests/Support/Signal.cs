using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ChatServer.Tests.Support;

/// <summary>The signals (POSIX signal.h, numbers of Linux) that tests send to processes of their own.</summary>
internal enum Signal
{
    Interrupt = 2,
    Kill = 9,
    Terminate = 15,
    Continue = 18,
    Stop = 19,
}

internal static class SignalExtensions
{
    /// <exception cref="Win32Exception">There is no such process.</exception>
    public static void SendTo(this Signal signal, int processId)
    {
        if (Send(processId, (int)signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [DllImport("libc", EntryPoint = "kill", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Send(int processId, int signal);
}
