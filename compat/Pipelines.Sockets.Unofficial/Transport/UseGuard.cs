namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>
/// Keeps one end of a pipe from being completed while it is in use. StackExchange.Redis tears a connection down from any thread, also
/// while another one parses a buffer or writes into one. To complete the end then would give the buffer back to the shared pool, and
/// its next owner would be read from or written into. So whoever comes last does it: the one that completes, or the one that uses.
/// </summary>
internal struct UseGuard
{
    private const int InUse = 1;
    private const int Completed = 2;
    private int _state;

    public bool IsInUse => (Volatile.Read(ref _state) & InUse) != 0;

    public bool IsCompleted => (Volatile.Read(ref _state) & Completed) != 0;

    /// <summary>Begins a use; false where the end is complete.</summary>
    public bool TryEnter()
    {
        var before = Interlocked.Or(ref _state, InUse);
        if ((before & Completed) == 0)
        {
            return true;
        }

        if ((before & InUse) == 0)
        {
            Interlocked.And(ref _state, ~InUse);
        }

        return false;
    }

    /// <summary>Ends a use; true where the caller is to complete the end now.</summary>
    public bool Leave() => Interlocked.And(ref _state, ~InUse) == (InUse | Completed);

    /// <summary>Completes the end; true where the caller is to do so now, false where it is in use or was complete already.</summary>
    public bool TryComplete() => Interlocked.Or(ref _state, Completed) == 0;
}
