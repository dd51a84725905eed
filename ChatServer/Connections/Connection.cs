using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using ChatServer.Protocol;
using ChatServer.Sessions;
using ChatServer.WebSockets;

namespace ChatServer.Connections;

/// <summary>
/// One socket as the rest of the service sees it: who it is, what may be sent to it, and how it ends. All members may be used from any
/// thread. Anybody may <see cref="Close"/>; only the connection loop, which owns the reading side, ends its life with <see cref="Finish"/>.
/// </summary>
/// <param name="outbound">The one owner of the bytes to the peer.</param>
/// <param name="abort">
/// Ends the transport at once. Called at most once and never after <see cref="Finish"/>: Kestrel uses the context again.
/// </param>
internal sealed class Connection(Outbound outbound, Action abort, TimeProvider time)
{
    private const int MostBehindWelcome = 16 * 1024;

    private readonly Lock _ending = new();
    private bool _closing;
    private bool _finished;
    private readonly Lock _welcoming = new();
    private volatile byte[]? _heldWelcome;
    private bool _isWelcome;

    /// <summary>Random, and unique over all nodes for all practical purposes.</summary>
    public ulong Id { get; } = BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong)));

    /// <summary>The id as clients see it: 16 hexadecimal digits.</summary>
    public string IdText => Id.ToString("x16", CultureInfo.InvariantCulture);

    /// <summary>Null until the first frame has authenticated it; never changes after that.</summary>
    public Caller? Caller { get; private set; }

    /// <summary>When its session expires, as far as is known; null if it has no end.</summary>
    public DateTimeOffset? SessionEndsAt { get; set; }

    public Outbound Outbound => outbound;

    /// <summary>Whether permessage-deflate was agreed on: compressed frames may be sent.</summary>
    public bool Deflates { get; init; }

    /// <summary>Its place among the node's sockets; null in no real connection.</summary>
    public Place? Place { get; init; }

    /// <summary>When it was opened, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long OpenedAt { get; } = time.GetTimestamp();

    /// <summary>When the peer was last heard, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public long HeardAt { get; private set; } = time.GetTimestamp();

    /// <summary>When the server last sent a ping because of silence; 0: none is unanswered.</summary>
    public long PingedAt { get; set; }

    /// <summary>
    /// Whether nothing is read because what came before is still being handled: the peer's silence then says nothing.
    /// </summary>
    public bool IsBusy { get; set; }

    /// <summary>
    /// What the peer's close frame said, or what its last bytes broke; nothing is read after it. Null while there is more to read.
    /// </summary>
    public CloseReason? PeerClosed { get; set; }

    /// <summary>What its requests have under way; null if nobody serves it.</summary>
    public IConnectionWork? Work { get; set; }

    public bool IsClosing
    {
        get
        {
            lock (_ending)
            {
                return _closing;
            }
        }
    }

    public void Authenticated(Caller caller)
    {
        SessionEndsAt = caller.ExpiresAt;
        Caller = caller;
    }

    /// <summary>
    /// Takes the answer to the first frame. It leaves in one write with what is sent next, or at <see cref="SendWelcome"/>: nearly
    /// everybody enters a room in the same step. What is meant for its user may follow and must not overtake it.
    /// </summary>
    public void HoldWelcome(ReadOnlySpan<byte> answer)
    {
        var frame = new byte[FrameWriter.HeaderLength(answer.Length) + answer.Length];
        FrameWriter.Write(frame, Opcode.Text, answer);
        _heldWelcome = frame;
    }

    /// <summary>Sends the answer to the first frame, unless it has left already.</summary>
    public void SendWelcome()
    {
        if (_heldWelcome is not null)
        {
            SendBehindWelcome([], null, 0);
        }
    }

    /// <summary>Sends whole frames that are meant for its user, if it has been welcomed; before that it gets nothing.</summary>
    public void SendToUser(ReadOnlySpan<byte> frames)
    {
        lock (_welcoming)
        {
            if (_isWelcome)
            {
                Send(frames);
            }
        }
    }

    /// <summary>Bytes have come from the peer.</summary>
    public void Heard()
    {
        HeardAt = time.GetTimestamp();
        PingedAt = 0;
    }

    /// <summary>
    /// Sends whole frames, without ever blocking. A peer that takes them too slowly is closed with 4001 and can recover from the log.
    /// </summary>
    /// <returns>False if the connection is closed, or closes now.</returns>
    public bool Send(ReadOnlySpan<byte> frames) =>
        _heldWelcome is null ? Judge(outbound.TrySend(frames)) : SendBehindWelcome(frames, null, 0);

    /// <summary>The same for frames that are meant for others too, so that those for which they have to wait can share them.</summary>
    /// <param name="frames">Whole frames.</param>
    /// <param name="start">Where those for this connection begin.</param>
    public bool Send(PooledBytes frames, int start) =>
        _heldWelcome is null ? Judge(outbound.TrySend(frames, start)) : SendBehindWelcome(frames.Written[start..], frames, start);

    /// <summary>Closes it with 4001 if its peer has taken too little for too long.</summary>
    public void CloseIfTooSlow()
    {
        if (outbound.IsTooSlow())
        {
            Close(CloseReason.SlowConsumer);
        }
    }

    /// <summary>Frames a JSON text and sends it.</summary>
    public bool SendText(ReadOnlySpan<byte> json)
    {
        var buffer = ArrayPool<byte>.Shared.Rent(FrameWriter.HeaderLength(json.Length) + json.Length);
        var length = FrameWriter.Write(buffer, Opcode.Text, json);
        var sent = Send(buffer.AsSpan(0, length));
        ArrayPool<byte>.Shared.Return(buffer);
        return sent;
    }

    /// <summary>
    /// Ends the connection gracefully: the close frame is sent after what is queued, the peer gets time to answer it, then
    /// the transport is cut. The first reason counts, later calls do nothing.
    /// </summary>
    public void Close(CloseReason reason)
    {
        if (TryBeginClosing())
        {
            _ = CloseThenAbortAsync(reason);
        }
    }

    /// <summary>
    /// As <see cref="Close"/>, but the close frame waits for the answers to what has been taken from the peer: an ack, or an error. What
    /// comes from now on is dropped, so that this has an end.
    /// </summary>
    /// <param name="enough">Ends that wait.</param>
    public void CloseWhenAnswered(CloseReason reason, CancellationToken enough)
    {
        if (TryBeginClosing())
        {
            _ = AnswerThenCloseAsync(reason, enough);
        }
    }

    /// <summary>The reading side has ended: nothing may touch the transport from here on.</summary>
    public void Finish()
    {
        lock (_ending)
        {
            _finished = true;
        }
    }

    private bool TryBeginClosing()
    {
        lock (_ending)
        {
            if (_closing || _finished)
            {
                return false;
            }

            return _closing = true;
        }
    }

    private bool Judge(SendResult result)
    {
        if (result == SendResult.Slow)
        {
            Close(CloseReason.SlowConsumer);
        }

        return result == SendResult.Sent;
    }

    private bool SendBehindWelcome(ReadOnlySpan<byte> frames, PooledBytes? source, int start)
    {
        lock (_welcoming)
        {
            if (_heldWelcome is { } welcome)
            {
                // A copy for one write; what is too large for that is shared.
                var joins = frames.Length <= MostBehindWelcome;
                var sent = Judge(outbound.TrySend(joins ? [.. welcome, .. frames] : welcome));
                if (!joins)
                {
                    sent = sent && SendNow(frames, source, start);
                }

                _heldWelcome = null;
                _isWelcome = true;
                return sent;
            }
        }

        return SendNow(frames, source, start);
    }

    private bool SendNow(ReadOnlySpan<byte> frames, PooledBytes? source, int start) =>
        Judge(source is null ? outbound.TrySend(frames) : outbound.TrySend(source, start));

    private async Task AnswerThenCloseAsync(CloseReason reason, CancellationToken enough)
    {
        // Several looks, because an accepted message's ack leaves a little later: with its room's next batch, or behind a gap.
        for (var quiet = 0; quiet < ConnectionOptions.QuietLooks && !enough.IsCancellationRequested;)
        {
            await Task.Delay(ConnectionOptions.AnswerPause, time, enough).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            quiet = IsBusy || Work is { OwesAnswer: true } ? 0 : quiet + 1;
        }

        await CloseThenAbortAsync(reason);
    }

    private async Task CloseThenAbortAsync(CloseReason reason)
    {
        await outbound.CloseAsync(reason, ConnectionOptions.CloseGrace);
        await Task.Delay(ConnectionOptions.CloseGrace, time);
        lock (_ending)
        {
            if (!_finished)
            {
                abort();
            }
        }
    }
}
