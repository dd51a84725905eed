using ChatServer.Protocol;
using ChatServer.WebSockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace ChatServer.Connections;

/// <summary>
/// The one owner of the bytes to a peer: data, pings, pongs and the close frame leave through it and through nothing else, in the order in
/// which they were given. What can't leave at once waits in this peer's own queue, drained by one loop at a time; an idle one holds no
/// buffer. What is meant for many peers is copied only while half the limit is free, so that there is room for what is not; beyond that the
/// queue refers to the one copy that there is. All members are thread-safe, and none throws because of the peer or the network: that shows
/// as <see cref="SendResult.Closed"/>.
/// </summary>
/// <param name="limitBytes">The most bytes of its own that may wait. One frame in an empty queue and the close frame may go beyond.</param>
/// <param name="time">Measures the peer's pace, and the grace of <see cref="CloseAsync"/>.</param>
internal abstract class Outbound(int limitBytes, TimeProvider? time) : IAsyncDisposable, IThreadPoolWorkItem
{
    private enum State
    {
        Open,

        /// <summary>Too slow: what is queued of its own still leaves, and a close frame may follow.</summary>
        Slow,

        /// <summary>The close frame is queued, so nothing may follow.</summary>
        Closing,
        Closed,
    }

    private readonly Lock _gate = new();
    private readonly SendQueue _queue = new();
    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private SendPace _pace;
    private State _state;
    private Task? _closing;

    // From the queuing of the drain loop until its end. Meanwhile new bytes have to queue, even if the queue is empty.
    private bool _draining;
    private CancellationTokenSource? _abort;
    private DrainWaiters? _waiters;
    private TaskCompletionSource? _drainEnded;

    /// <summary>The fastest way that keeps the order: the socket itself if nothing stands between it and the frames.</summary>
    /// <param name="connection">A connection on which nobody else writes.</param>
    /// <param name="limitBytes">The most bytes of its own that may wait.</param>
    /// <param name="time">Measures the peer's pace and the grace of closing.</param>
    public static Outbound Over(ConnectionContext connection, int limitBytes, TimeProvider? time = null) =>
        connection.Features.Get<ITlsHandshakeFeature>() is null
            && connection.Features.Get<IConnectionSocketFeature>() is { Socket: var socket }
            ? new SocketOutbound(socket, limitBytes, time)
            : new StreamOutbound(connection.Transport.Output.AsStream(), limitBytes, time);

    /// <summary>Bytes that wait, those being written included.</summary>
    public long QueuedBytes
    {
        get
        {
            lock (_gate)
            {
                return _queue.Length;
            }
        }
    }

    /// <summary>Bytes of rented buffers; 0 while idle.</summary>
    public long BufferedBytes
    {
        get
        {
            lock (_gate)
            {
                return _queue.Capacity;
            }
        }
    }

    /// <summary>
    /// Sends or queues frames, all or none, without waiting for anything: the frames are the caller's again at once.
    /// Of frames that find no room none is sent, but one that the kernel has begun to take is finished.
    /// </summary>
    /// <param name="frames">Whole frames. A single one always finds room in an empty queue.</param>
    public SendResult TrySend(ReadOnlySpan<byte> frames) => TrySend(frames, null, 0);

    /// <summary>The same for frames that are meant for others too.</summary>
    /// <param name="frames">Whole frames.</param>
    /// <param name="start">Where those for this peer begin.</param>
    public SendResult TrySend(PooledBytes frames, int start) => TrySend(frames.Written[start..], frames, start);

    /// <summary>
    /// Whether the peer is slow. One that has taken too little for too long becomes so here, or when something is sent to it.
    /// </summary>
    public bool IsTooSlow()
    {
        lock (_gate)
        {
            return _state == State.Slow || (_state == State.Open && JudgePace());
        }
    }

    /// <summary>Completes when at most that many bytes wait, or the connection is closed. Fails only by the token.</summary>
    public ValueTask WaitForDrainAsync(long atMost, CancellationToken cancellationToken = default)
    {
        lock (_gate)
        {
            return _state == State.Closed || _queue.Length <= atMost
                ? ValueTask.CompletedTask
                : new ValueTask((_waiters ??= new(_gate)).WaitAsync(atMost, cancellationToken));
        }
    }

    /// <summary>
    /// Sends the close frame after what is queued, refuses all further frames, and completes when it has left or the grace is over.
    /// "Left" means handed to the kernel or to the stream: let the peer answer, or let the request end normally, before the connection is
    /// aborted, else it may be lost on the way. The first reason and the first grace count.
    /// </summary>
    public Task CloseAsync(CloseReason reason, TimeSpan grace)
    {
        lock (_gate)
        {
            if (_state != State.Closed && _closing is null)
            {
                _state = State.Closing;
                Put(FrameWriter.Close(reason), int.MaxValue, null, 0);
                _closing = WaitUntilLeftAsync(grace);
            }

            return _closing ?? Task.CompletedTask;
        }
    }

    /// <summary>Drops all that waits and refuses all that comes. The connection itself is the caller's to abort.</summary>
    public void Abort()
    {
        CancellationTokenSource? abort;
        lock (_gate)
        {
            Break();
            abort = _abort;
            _abort = null;
        }

        // Outside the lock: the drain loop may go on inside of this call.
        abort?.Cancel();
    }

    /// <summary>Aborts, and completes when no write is under way any more and every buffer is back.</summary>
    public async ValueTask DisposeAsync()
    {
        Abort();
        Task ended = Task.CompletedTask;
        lock (_gate)
        {
            if (_draining)
            {
                _drainEnded ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
                ended = _drainEnded.Task;
            }
        }

        await ended;
    }

    void IThreadPoolWorkItem.Execute() => _ = DrainAsync();

    /// <summary>Sends what can leave without waiting. Called with nothing queued and no write under way.</summary>
    /// <returns>The bytes taken, possibly 0; less than 0 if the connection is broken.</returns>
    protected abstract int SendNow(ReadOnlySpan<byte> bytes);

    /// <summary>Writes at least one byte, and waits for that. Any exception means that the connection is broken.</summary>
    /// <returns>The bytes taken.</returns>
    protected abstract ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken);

    private SendResult TrySend(ReadOnlySpan<byte> frames, PooledBytes? source, int start)
    {
        lock (_gate)
        {
            return _state switch
            {
                State.Open when !JudgePace() => Put(frames, limitBytes, source, start),
                State.Open or State.Slow => SendResult.Slow,
                _ => SendResult.Closed,
            };
        }
    }

    private SendResult Put(ReadOnlySpan<byte> frames, int limit, PooledBytes? source, int start)
    {
        int taken = _draining ? 0 : SendNow(frames);
        if (taken == frames.Length)
        {
            return SendResult.Sent;
        }

        if (taken < 0)
        {
            Break();
            return SendResult.Closed;
        }

        var result = Queue(frames, taken, limit, source, start);
        _pace.Queued(_queue.Length, limitBytes, _time);
        StartDrain();
        return result;
    }

    private SendResult Queue(ReadOnlySpan<byte> frames, int taken, int limit, PooledBytes? source, int start)
    {
        int rest = frames.Length - taken;
        if (source is not null && rest > (limit / 2) - _queue.OwnLength
            && rest <= ConnectionOptions.MaxSharedBytesOfPeer - _queue.SharedLength && source.TryShare() is { } shared)
        {
            _queue.Append(shared, start + taken, rest);
            return SendResult.Sent;
        }

        if (rest <= limit - _queue.OwnLength)
        {
            _queue.Append(frames[taken..]);
            return SendResult.Sent;
        }

        // In an empty queue one frame always has room, whatever its size; one that the kernel has begun to take must end.
        int end = _queue.Length == 0 ? EndOfFrame(frames, taken) : 0;
        _queue.Append(frames[Math.Min(taken, end)..end]);
        if (end == frames.Length)
        {
            return SendResult.Sent;
        }

        BecomeSlow();
        return SendResult.Slow;
    }

    /// <returns>The end of the frame that holds the byte at <paramref name="place"/>.</returns>
    private static int EndOfFrame(ReadOnlySpan<byte> frames, int place)
    {
        int end = 0;
        while (end <= place)
        {
            end += FrameWriter.LengthOfFrame(frames[end..]);
        }

        return end;
    }

    private bool JudgePace()
    {
        if (!_pace.IsTooSlow(limitBytes, _time))
        {
            return false;
        }

        BecomeSlow();
        return true;
    }

    private void BecomeSlow()
    {
        _state = State.Slow;

        // Nobody else's memory for one who does not take it, and a close frame that comes soon: the peer comes back and reads the log.
        _queue.ClearFromShared();
        WakeWaiters();
    }

    private void StartDrain()
    {
        if (!_draining && _queue.Length > 0)
        {
            _draining = true;
            _abort ??= new CancellationTokenSource();
            // On the pool, because a stream does its own work (TLS, HTTP/2 framing) before its first await, and that is not the sender's.
            ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
        }
    }

    private async Task DrainAsync()
    {
        int taken = 0;
        try
        {
            while (Next(taken, out var bytes, out var abort))
            {
                taken = await WriteAsync(bytes, abort);
            }
        }
        catch (Exception)
        {
            // Whatever the transport throws, the connection has ended; nobody awaits this loop, and the reading side sees the end as well.
            EndDrain();
        }
    }

    /// <returns>False if nothing is left to write, which ends the loop: <see cref="_draining"/> is reset under the same lock.</returns>
    private bool Next(int taken, out ReadOnlyMemory<byte> bytes, out CancellationToken abort)
    {
        lock (_gate)
        {
            if (taken > 0)
            {
                _queue.Take(taken);
                _pace.Took(taken, _queue.Length, limitBytes);
                WakeWaiters();
            }

            bytes = _queue.First;
            abort = _abort?.Token ?? default;
            if (_state != State.Closed && !bytes.IsEmpty)
            {
                return true;
            }

            StopDraining();
            return false;
        }
    }

    private void EndDrain()
    {
        lock (_gate)
        {
            _state = State.Closed;
            StopDraining();
            WakeWaiters();
        }
    }

    private void StopDraining()
    {
        _draining = false;
        if (_state == State.Closed)
        {
            _queue.Clear();
        }

        _drainEnded?.TrySetResult();
    }

    private void Break()
    {
        _state = State.Closed;
        if (_draining)
        {
            // The write under way still reads from the first buffer; the loop gives that back.
            _queue.ClearBehindFirst();
        }
        else
        {
            _queue.Clear();
        }

        WakeWaiters();
    }

    private void WakeWaiters() => _waiters?.Wake(_state == State.Closed ? 0 : _queue.Length);

    private async Task WaitUntilLeftAsync(TimeSpan grace)
    {
        var left = WaitForDrainAsync(0).AsTask();
        try
        {
            await left.WaitAsync(grace, _time);
        }
        catch (TimeoutException)
        {
            // The peer doesn't read: the caller aborts.
        }
    }
}
