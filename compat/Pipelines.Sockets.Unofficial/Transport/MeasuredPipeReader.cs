using System.Buffers;
using System.IO.Pipelines;
using System.Runtime.CompilerServices;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>The reading end that the user of a connection gets: counts what was consumed and tells when it is completed.</summary>
internal sealed class MeasuredPipeReader(PipeReader inner, Action completing) : PipeReader
{
    private ReadOnlySequence<byte> _inHand;
    private long _consumed;
    private UseGuard _guard;

    public long Consumed => Volatile.Read(ref _consumed);

    public bool IsCompleted => _guard.IsCompleted;

    public override bool TryRead(out ReadResult result)
    {
        Enter();
        var success = false;
        try
        {
            success = inner.TryRead(out result);
        }
        finally
        {
            if (!success)
            {
                Leave();
            }
        }

        if (success)
        {
            Take(result);
        }

        return success;
    }

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        Enter();
        var pending = inner.ReadAsync(cancellationToken);
        if (!pending.IsCompletedSuccessfully)
        {
            return AwaitAsync(pending);
        }

        var result = pending.Result;
        Take(result);
        return new ValueTask<ReadResult>(result);
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        if (!_inHand.IsEmpty)
        {
            Volatile.Write(ref _consumed, _consumed + _inHand.Slice(0, consumed).Length);
            _inHand = default;
        }

        inner.AdvanceTo(consumed, examined);
        Leave();
    }

    public override void CancelPendingRead() => inner.CancelPendingRead();

    public override void Complete(Exception? exception = null)
    {
        var now = _guard.TryComplete();
        completing();
        if (now)
        {
            inner.Complete(exception);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    private async ValueTask<ReadResult> AwaitAsync(ValueTask<ReadResult> pending)
    {
        var success = false;
        try
        {
            var result = await pending;
            success = true;
            Take(result);
            return result;
        }
        finally
        {
            if (!success)
            {
                Leave();
            }
        }
    }

    private void Enter()
    {
        if (!_guard.TryEnter())
        {
            throw new InvalidOperationException("Reading is not allowed after the reader was completed.");
        }
    }

    // An empty buffer may be dropped without AdvanceTo: nothing of it can be read.
    private void Take(in ReadResult result)
    {
        _inHand = result.Buffer;
        if (_inHand.IsEmpty)
        {
            Leave();
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
