using System.Diagnostics.Tracing;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>Counts what a thread has rented of the shared pools and not given back: the pools tell of both.</summary>
internal sealed class RentedBuffers : EventListener
{
    private const int Rented = 1;
    private const int Returned = 3;

    [ThreadStatic]
    private static int _held;

    /// <summary>How many buffers this thread holds, as far as an instance was there to hear of it.</summary>
    public static int Held => _held;

    protected override void OnEventSourceCreated(EventSource eventSource)
    {
        if (eventSource.Name == "System.Buffers.ArrayPoolEventSource")
        {
            EnableEvents(eventSource, EventLevel.Verbose);
        }
    }

    protected override void OnEventWritten(EventWrittenEventArgs eventData) =>
        _held += eventData.EventId switch { Rented => 1, Returned => -1, _ => 0 };
}
