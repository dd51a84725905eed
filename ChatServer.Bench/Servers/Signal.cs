using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ChatServer.Bench.Servers;

/// <summary>Signals to processes of ours (signal(7), the numbers of Linux on x86 and Arm).</summary>
internal static partial class Signal
{
    public const int Continue = 18;
    public const int Stop = 19;

    /// <exception cref="Win32Exception">There is no such process.</exception>
    public static void Send(int pid, int signal)
    {
        if (Kill(pid, signal) != 0)
        {
            throw new Win32Exception(Marshal.GetLastPInvokeError());
        }
    }

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);
}
