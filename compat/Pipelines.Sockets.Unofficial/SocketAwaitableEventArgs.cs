using System.IO.Pipelines;
using System.Net.Sockets;
using System.Runtime.CompilerServices;

namespace Pipelines.Sockets.Unofficial;

/// <summary>
/// A socket operation that can be awaited. Start it; where the socket answers that it is done already, call <see cref="Complete"/>;
/// then await the instance. One operation and one waiter at a time; it may be used again after its result was taken, unless aborted:
/// the late end of an abandoned operation could not be told from the end of the next one.
/// </summary>
public class SocketAwaitableEventArgs : SocketAsyncEventArgs, ICriticalNotifyCompletion
{
    private static readonly Action Finished = static () => { };
    private readonly PipeScheduler? _scheduler;
    private Action? _continuation;
    private int _abortedBy = (int)SocketError.Success;

    /// <summary>Creates an instance.</summary>
    /// <param name="ioScheduler">Where the waiter goes on; null or inline: on the thread that ends the operation.</param>
    public SocketAwaitableEventArgs(PipeScheduler? ioScheduler = null)
        : base(true) =>
        _scheduler = ReferenceEquals(ioScheduler, PipeScheduler.Inline) ? null : ioScheduler;

    /// <summary>Whether the result is there.</summary>
    public bool IsCompleted => ReferenceEquals(Volatile.Read(ref _continuation), Finished);

    /// <summary>Makes the instance awaitable.</summary>
    public SocketAwaitableEventArgs GetAwaiter() => this;

    /// <summary>The bytes transferred.</summary>
    /// <exception cref="SocketException">The operation failed or was aborted.</exception>
    public int GetResult()
    {
        var abortedBy = (SocketError)Volatile.Read(ref _abortedBy);
        if (abortedBy != SocketError.Success)
        {
            throw new SocketException((int)abortedBy);
        }

        Volatile.Write(ref _continuation, null);
        return SocketError == SocketError.Success ? BytesTransferred : throw new SocketException((int)SocketError);
    }

    /// <inheritdoc/>
    public void OnCompleted(Action continuation)
    {
        // The operation may end between IsCompleted and here; then nobody else will run the continuation.
        if (Interlocked.CompareExchange(ref _continuation, continuation, null) is not null)
        {
            (_scheduler ?? PipeScheduler.ThreadPool).Schedule(static action => ((Action)action!)(), continuation);
        }
    }

    /// <inheritdoc/>
    public void UnsafeOnCompleted(Action continuation) => OnCompleted(continuation);

    /// <summary>Marks the operation as ended, with the result that the socket left in the instance.</summary>
    public void Complete()
    {
        var continuation = Interlocked.Exchange(ref _continuation, Finished);
        if (continuation is not null && !ReferenceEquals(continuation, Finished))
        {
            (_scheduler ?? PipeScheduler.Inline).Schedule(static action => ((Action)action!)(), continuation);
        }
    }

    /// <summary>Ends the wait with an error, whatever becomes of the operation; for good.</summary>
    /// <param name="error">What the waiter gets.</param>
    public void Abort(SocketError error = SocketError.OperationAborted)
    {
        var abortedBy = error == SocketError.Success ? SocketError.OperationAborted : error;
        if (!IsCompleted)
        {
            Interlocked.CompareExchange(ref _abortedBy, (int)abortedBy, (int)SocketError.Success);
            Complete();
        }
    }

    /// <inheritdoc/>
    protected override void OnCompleted(SocketAsyncEventArgs e) => Complete();
}
