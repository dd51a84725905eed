using System.IO.Pipelines;
using System.Net.Sockets;

namespace Pipelines.Sockets.Unofficial.Transport;

/// <summary>
/// Moves bytes between a transport and two pipes, in two loops of which neither waits for the other. What the user does not read
/// stays in the pipe up to its threshold and then in the transport; what the transport does not take makes the user's flush wait.
/// The loops end on their own: at the end of the stream, on an error, when the user completes the end in question, or on
/// <see cref="Dispose"/>. They throw nothing; errors reach the user through the pipes.
/// </summary>
internal sealed class DuplexPump : IDisposable
{
    private readonly ITransport _transport;
    private readonly Pipe _receivePipe;
    private readonly Pipe _sendPipe;
    private readonly MeasuredPipeReader _input;
    private readonly MeasuredPipeWriter _output;
    private readonly ReceiveSize _receiveSize;
    private long _bytesRead;
    private long _bytesSent;
    private int _lastReceived;
    private int _shutdownKind;
    private int _socketError;
    private int _disposed;

    public DuplexPump(ITransport transport, PipeOptions sendOptions, PipeOptions receiveOptions)
    {
        _transport = transport;
        _receivePipe = new Pipe(receiveOptions);
        _sendPipe = new Pipe(sendOptions);
        _input = new MeasuredPipeReader(_receivePipe.Reader, OnInputCompleting);
        _output = new MeasuredPipeWriter(_sendPipe.Writer, OnOutputCompleting, _sendPipe.Reader.CancelPendingRead);
        _receiveSize = new ReceiveSize(receiveOptions);
        receiveOptions.WriterScheduler.Schedule(static pump => _ = ((DuplexPump)pump!).ReceiveAsync(), this);
        sendOptions.ReaderScheduler.Schedule(static pump => _ = ((DuplexPump)pump!).SendAsync(), this);
    }

    public PipeReader Input => _input;

    public PipeWriter Output => _output;

    public long BytesRead => Volatile.Read(ref _bytesRead);

    public long BytesSent => Volatile.Read(ref _bytesSent);

    public long BytesWaitingToBeRead => Math.Max(0, BytesRead - _input.Consumed);

    public long BytesWaitingToBeSent => Math.Max(0, _output.Flushed - BytesSent);

    /// <summary>What the last receive brought; 0 before the first.</summary>
    public int LastReceived => Volatile.Read(ref _lastReceived);

    public PipeShutdownKind ShutdownKind => (PipeShutdownKind)Volatile.Read(ref _shutdownKind);

    public SocketError SocketError => (SocketError)Volatile.Read(ref _socketError);

    private bool IsDisposed => Volatile.Read(ref _disposed) != 0;

    /// <summary>Notes what ended the connection; false where something else did before.</summary>
    public bool TrySetShutdown(PipeShutdownKind kind) => Interlocked.CompareExchange(ref _shutdownKind, (int)kind, 0) == 0;

    /// <summary>
    /// Ends both loops at once; what is not sent yet is not sent any more. The user completes input and output itself, before or
    /// after; then the pipes' buffers go back to their pool.
    /// </summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref _disposed, 1) != 0)
        {
            return;
        }

        TrySetShutdown(PipeShutdownKind.PipeDisposed);
        _transport.Dispose();
        _receivePipe.Writer.CancelPendingFlush();
        _sendPipe.Reader.CancelPendingRead();
    }

    private async Task ReceiveAsync()
    {
        Exception? error = null;
        try
        {
            await ReceiveToEndAsync();
        }
        catch (Exception e)
        {
            // The transport may throw anything; whatever it is, the reader is told, and this task has no other observer.
            error = Note(e, TransportFailure.OfReceiving(e));
        }

        // Bytes that nobody vouches for the end of must not look like a whole stream.
        await _receivePipe.Writer.CompleteAsync(IsDisposed ? new ObjectDisposedException(nameof(SocketConnection)) : error);
    }

    private async Task ReceiveToEndAsync()
    {
        var writer = _receivePipe.Writer;
        while (true)
        {
            await _transport.WaitAsync();
            var received = await _transport.ReceiveAsync(writer.GetMemory(_receiveSize.Next));
            Volatile.Write(ref _lastReceived, received);
            if (received == 0)
            {
                TrySetShutdown(PipeShutdownKind.ReadEndOfStream);
                return;
            }

            Volatile.Write(ref _bytesRead, _bytesRead + received);
            _receiveSize.Received(received);
            writer.Advance(received);
            var flush = await writer.FlushAsync();
            if (flush.IsCompleted || _input.IsCompleted)
            {
                TrySetShutdown(PipeShutdownKind.ReadFlushCompleted);
                return;
            }

            if (flush.IsCanceled)
            {
                TrySetShutdown(PipeShutdownKind.ReadFlushCanceled);
                return;
            }
        }
    }

    private async Task SendAsync()
    {
        Exception? error = null;
        try
        {
            await SendToEndAsync();
            if (!IsDisposed)
            {
                _transport.EndSending();
                TrySetShutdown(PipeShutdownKind.WriteEndOfStream);
            }
        }
        catch (Exception e)
        {
            // As for receiving; the writer learns it from its next flush.
            error = Note(e, TransportFailure.OfSending(e));
        }

        await _sendPipe.Reader.CompleteAsync(IsDisposed ? new ObjectDisposedException(nameof(SocketConnection)) : error);
    }

    private async Task SendToEndAsync()
    {
        var reader = _sendPipe.Reader;
        while (true)
        {
            if (!reader.TryRead(out var read))
            {
                if (_output.IsAbandoned)
                {
                    return;
                }

                read = await reader.ReadAsync();
            }

            var buffer = read.Buffer;
            if (IsDisposed)
            {
                return;
            }

            if (buffer.IsEmpty)
            {
                if (read.IsCompleted)
                {
                    return;
                }

                // Woken by the completion of the output, which the pipe may not know of.
                reader.AdvanceTo(buffer.End);
                continue;
            }

            var sent = await _transport.SendAsync(buffer);
            Volatile.Write(ref _bytesSent, _bytesSent + sent);
            reader.AdvanceTo(buffer.GetPosition(sent));
        }
    }

    private Exception Note(Exception error, TransportFailure failure)
    {
        if (TrySetShutdown(failure.Kind))
        {
            Volatile.Write(ref _socketError, (int)failure.SocketError);
        }

        return failure.IsReset ? new ConnectionResetException(error.Message, error) : error;
    }

    private void OnInputCompleting()
    {
        TrySetShutdown(PipeShutdownKind.InputReaderCompleted);
        _transport.EndReceiving();
        _receivePipe.Writer.CancelPendingFlush();
    }

    private void OnOutputCompleting() => TrySetShutdown(PipeShutdownKind.OutputWriterCompleted);
}
