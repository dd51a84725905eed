using System.Text.Unicode;
using ChatServer.Protocol;

namespace ChatServer.WebSockets;

/// <summary>
/// Reads a client's frames (RFC 6455, section 5) out of a byte stream that may be cut anywhere. Not thread-safe: it belongs to the one
/// loop that reads the connection.
/// </summary>
/// <param name="maxTextBytes">See <see cref="MaxTextBytes"/>.</param>
/// <param name="maxBinaryBytes">See <see cref="MaxBinaryBytes"/>.</param>
/// <param name="deflates">
/// Whether permessage-deflate was agreed on; the limits then hold for messages as they come and as they are meant.
/// </param>
internal sealed class FrameReader(int maxTextBytes, int maxBinaryBytes, bool deflates = false) : IDisposable
{
    /// <summary>The most bytes of a control frame's payload (RFC 6455, section 5.5).</summary>
    public const int MaxControlBytes = 125;

    private enum State
    {
        Header,
        Payload,
        Ended,
    }

    private State _state;
    private FrameHeader.Buffer _start;
    private int _startBytes;

    // The frame at hand.
    private FrameHeader _frame;
    private long _left;
    private uint _mask;

    // The message at hand: Text or Binary, or Continuation if there is none. Control frames come between its fragments.
    private Opcode _message;
    private bool _isCompressed;
    private PartialPayload _text;
    private PartialPayload _inflated;
    private PartialPayload _control;

    /// <summary>The most bytes of a text message, over all its fragments; a header that says more is a violation (1009).</summary>
    public int MaxTextBytes { get; set; } = maxTextBytes;

    /// <summary>The most bytes of one binary frame; a header that says more is a violation (1009).</summary>
    public int MaxBinaryBytes { get; set; } = maxBinaryBytes;

    /// <summary>Holds no rented buffer. What is kept of a frame header that came in part needs none.</summary>
    public bool IsIdle => !_text.HoldsBuffer && !_control.HoldsBuffer && !_inflated.HoldsBuffer;

    /// <summary>
    /// Takes the next event off the input, which it advances; call it until it answers None, which it does only with all input consumed.
    /// Payloads are unmasked in place, so the input must be the caller's to change, and an event's payload is good until the next call.
    /// After Close and Violation whatever comes is dropped.
    /// </summary>
    public FrameEvent Read(scoped ref Span<byte> input)
    {
        // The last event may have lent one of these out.
        if (_state == State.Header && !IsIdle)
        {
            _control.Release();
            _inflated.Release();
            if (_message == Opcode.Continuation)
            {
                _text.Release();
            }
        }

        while (true)
        {
            switch (_state)
            {
                case State.Header:
                    if (!TryReadHeader(ref input, out var violation))
                    {
                        return violation is { } reason ? Violate(reason, ref input) : FrameEvent.None;
                    }

                    _state = State.Payload;
                    break;

                case State.Payload:
                    if (input.IsEmpty && _left > 0)
                    {
                        return FrameEvent.None;
                    }

                    var happened = ReadPayload(ref input);
                    if (happened.Kind != FrameEventKind.None)
                    {
                        return happened;
                    }

                    break;

                default:
                    input = [];
                    return FrameEvent.None;
            }
        }
    }

    /// <summary>Gives back what is rented. An event's payload must not be used after it.</summary>
    public void Dispose()
    {
        _text.Release();
        _control.Release();
        _inflated.Release();
        _state = State.Ended;
    }

    /// <returns>False if more is needed, or with the violation.</returns>
    private bool TryReadHeader(scoped ref Span<byte> input, out CloseReason? violation)
    {
        violation = null;
        if (_startBytes == 0 && input.Length >= FrameHeader.MinBytes)
        {
            if (!FrameHeader.MayStart(input, deflates))
            {
                violation = CloseReason.ProtocolError;
                return false;
            }

            int bytes = FrameHeader.Bytes(input);
            if (input.Length >= bytes)
            {
                violation = Begin(input[..bytes]);
                input = input[bytes..];
                return violation is null;
            }
        }

        return TryReadHeaderInPieces(ref input, out violation);
    }

    private bool TryReadHeaderInPieces(scoped ref Span<byte> input, out CloseReason? violation)
    {
        violation = null;
        Span<byte> start = _start;
        int wanted = FrameHeader.MinBytes;
        while (true)
        {
            int taken = Math.Min(Math.Max(wanted - _startBytes, 0), input.Length);
            input[..taken].CopyTo(start[_startBytes..]);
            input = input[taken..];
            _startBytes += taken;
            if (_startBytes < wanted)
            {
                return false;
            }

            if (!FrameHeader.MayStart(start, deflates))
            {
                violation = CloseReason.ProtocolError;
                return false;
            }

            wanted = FrameHeader.Bytes(start);
            if (_startBytes == wanted)
            {
                violation = Begin(start[..wanted]);
                _startBytes = 0;
                return violation is null;
            }
        }
    }

    /// <summary>Starts on a frame, or tells what is wrong with it here: the order of fragments (section 5.4) and the sizes.</summary>
    private CloseReason? Begin(ReadOnlySpan<byte> header)
    {
        if (!FrameHeader.TryParse(header, out _frame))
        {
            return CloseReason.ProtocolError;
        }

        _left = _frame.Length;
        _mask = _frame.Mask;
        if (_frame.IsControl)
        {
            return null;
        }

        if ((_frame.Opcode == Opcode.Continuation) == (_message == Opcode.Continuation))
        {
            return CloseReason.ProtocolError;
        }

        if (_frame.Opcode != Opcode.Continuation)
        {
            _message = _frame.Opcode;
            _isCompressed = _frame.Compressed;
        }

        long most = _message == Opcode.Text ? MaxTextBytes - _text.Length : MaxBinaryBytes - (_isCompressed ? _text.Length : 0);
        return _frame.Length > most ? CloseReason.TooBig : null;
    }

    /// <returns>None if more input is needed for the next event, and if a fragment ended that makes no event.</returns>
    private FrameEvent ReadPayload(scoped ref Span<byte> input)
    {
        var part = input[..(int)Math.Min(_left, input.Length)];
        input = input[part.Length..];
        _mask = Mask.Apply(part, _mask);
        _left -= part.Length;
        bool frameEnds = _left == 0;
        if (frameEnds)
        {
            _state = State.Header;
        }

        if (_frame.IsControl)
        {
            return Gather(ref _control, part, frameEnds, out var data) ? Control(data) : FrameEvent.None;
        }

        bool messageEnds = frameEnds && _frame.Final;
        var message = _message;
        if (messageEnds)
        {
            _message = Opcode.Continuation;
        }

        if (_isCompressed)
        {
            return Gather(ref _text, part, messageEnds, out var compressed) ? Inflate(message, compressed) : FrameEvent.None;
        }

        if (message == Opcode.Binary)
        {
            return part.IsEmpty && !messageEnds ? FrameEvent.None : FrameEvent.Binary(part, messageEnds);
        }

        if (!Gather(ref _text, part, messageEnds, out var text))
        {
            return FrameEvent.None;
        }

        return Text(text);
    }

    private FrameEvent Text(ReadOnlySpan<byte> text) =>
        Utf8.IsValid(text) ? FrameEvent.Text(text) : End(FrameEvent.Violation(CloseReason.NotUtf8));

    private FrameEvent Inflate(Opcode message, ReadOnlySpan<byte> compressed)
    {
        var most = message == Opcode.Text ? MaxTextBytes : MaxBinaryBytes;
        try
        {
            MessageInflater.Inflate(compressed, most, ref _inflated);
        }
        catch (InvalidDataException)
        {
            return End(FrameEvent.Violation(CloseReason.ProtocolError));
        }

        return _inflated.Length > most ? End(FrameEvent.Violation(CloseReason.TooBig))
            : message == Opcode.Binary ? FrameEvent.Binary(_inflated.Bytes, endOfMessage: true)
            : Text(_inflated.Bytes);
    }

    private FrameEvent Control(ReadOnlySpan<byte> data) => _frame.Opcode switch
    {
        Opcode.Ping => FrameEvent.Ping(data),
        Opcode.Pong => FrameEvent.Pong(data),
        _ => End(ClosePayload.Read(data)),
    };

    /// <summary>What comes in one piece is never copied.</summary>
    private static bool Gather(ref PartialPayload kept, ReadOnlySpan<byte> part, bool last, out ReadOnlySpan<byte> whole)
    {
        whole = part;
        if (last && !kept.HoldsBuffer)
        {
            return true;
        }

        kept.Append(part);
        whole = kept.Bytes;
        return last;
    }

    private FrameEvent Violate(CloseReason reason, scoped ref Span<byte> input)
    {
        input = [];
        return End(FrameEvent.Violation(reason));
    }

    /// <summary>None of these events lends out a buffer, so what is rented goes back at once.</summary>
    private FrameEvent End(FrameEvent last)
    {
        Dispose();
        return last;
    }
}
