using System.ComponentModel;
using System.Runtime.InteropServices;

namespace ChatServer.Bench.Drive;

/// <summary>The readiness of many sockets (Linux 5.11 or later, for waits of less than a millisecond).</summary>
internal sealed unsafe partial class Epoll : IDisposable
{
    public const uint In = 1;
    public const uint Out = 4;

    private const int Add = 1;
    private const int Modify = 3;
    private const int MaxEvents = 256;

    // epoll_event is packed on x86 and only there.
    private static readonly int DataOffset = RuntimeInformation.ProcessArchitecture is Architecture.X64 or Architecture.X86 ? 4 : 8;
    private static readonly int EventBytes = DataOffset + 8;

    private readonly int _handle = Check(Create(0));
    private readonly byte* _events = (byte*)NativeMemory.AllocZeroed((nuint)(MaxEvents * EventBytes));

    public void Watch(nint socket, int tag, uint events) => Control(Add, socket, tag, events);

    public void Change(nint socket, int tag, uint events) => Control(Modify, socket, tag, events);

    /// <returns>How many events there are to be read with <see cref="this"/>.</returns>
    public int Wait(long nanoseconds)
    {
        var time = new TimeSpec(nanoseconds / 1_000_000_000, nanoseconds % 1_000_000_000);
        var count = Wait(_handle, _events, MaxEvents, &time, null);

        // A signal: nothing has happened on the sockets.
        return Math.Max(count, 0);
    }

    public (int Tag, uint Events) this[int index]
    {
        get
        {
            var at = _events + (index * EventBytes);
            return (*(int*)(at + DataOffset), *(uint*)at);
        }
    }

    public void Dispose()
    {
        _ = Close(_handle);
        NativeMemory.Free(_events);
    }

    private static int Check(int result) => result >= 0 ? result : throw new Win32Exception(Marshal.GetLastPInvokeError());

    private void Control(int operation, nint socket, int tag, uint events)
    {
        var what = stackalloc byte[16];
        *(uint*)what = events;
        *(long*)(what + DataOffset) = tag;
        Check(Control(_handle, operation, (int)socket, what));
    }

    [LibraryImport("libc", EntryPoint = "epoll_create1", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Create(int flags);

    [LibraryImport("libc", EntryPoint = "epoll_ctl", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Control(int epoll, int operation, int socket, byte* what);

    [LibraryImport("libc", EntryPoint = "epoll_pwait2", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Wait(int epoll, byte* events, int count, TimeSpec* time, void* signals);

    [LibraryImport("libc", EntryPoint = "close")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Close(int handle);

    private readonly record struct TimeSpec(long Seconds, long Nanoseconds);
}
