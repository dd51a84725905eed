using System.IO.Pipelines;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>The writing end that the user of a connection gets: counts what was flushed and tells when it is completed.</summary>
internal sealed class MeasuredPipeWriter(PipeWriter inner, Action completing, Action abandoned) : PipeWriter
{
    private long _written;
    private long _flushed;
    private bool _abandoned;
    private UseGuard _guard;

    public long Flushed => Volatile.Read(ref _flushed);

    /// <summary>
    /// Whether the writer was completed between GetMemory and Advance. Then the pipe is not completed before Advance, which may never
    /// come, and what was not flushed by then is not sent.
    /// </summary>
    public bool IsAbandoned => Volatile.Read(ref _abandoned);

    public override bool CanGetUnflushedBytes => inner.CanGetUnflushedBytes;

    public override long UnflushedBytes => inner.UnflushedBytes;

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        Enter();
        return inner.GetMemory(sizeHint);
    }

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        Enter();
        return inner.GetSpan(sizeHint);
    }

    public override void Advance(int bytes)
    {
        inner.Advance(bytes);
        _written += bytes;
        Leave();
    }

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        if (_guard.IsInUse)
        {
            Leave();
        }

        Volatile.Write(ref _flushed, _written);
        return inner.FlushAsync(cancellationToken);
    }

    public override void CancelPendingFlush() => inner.CancelPendingFlush();

    public override void Complete(Exception? exception = null)
    {
        var now = _guard.TryComplete();
        completing();
        if (now)
        {
            Volatile.Write(ref _flushed, _written);
            inner.Complete(exception);
        }
        else if (_guard.IsInUse)
        {
            Volatile.Write(ref _abandoned, true);
            abandoned();
        }
    }

    private void Enter()
    {
        if (!_guard.TryEnter())
        {
            throw new InvalidOperationException("Writing is not allowed after the writer was completed.");
        }
    }

    private void Leave()
    {
        if (_guard.Leave())
        {
            inner.Complete();
        }
    }
}
