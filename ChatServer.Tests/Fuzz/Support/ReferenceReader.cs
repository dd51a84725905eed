using System.Buffers.Binary;
using System.Text;
using System.Text.Unicode;
using ChatServer.Protocol;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>
/// Reads a client's whole stream as RFC 6455 (section 5) and RFC 7692 say it, without a thought for speed, and so simply that it can be
/// checked by reading it. Only decompressing is the product's.
/// </summary>
internal sealed class ReferenceReader(int maxText, int maxBinary, bool deflates)
{
    private readonly List<Seen> _seen = [];
    private readonly List<byte> _kept = [];
    private Opcode _message;
    private bool _isCompressed;

    public List<Seen> Read(byte[] stream)
    {
        for (var at = 0; stream.Length - at >= 2 && _seen is not [.., { Kind: FrameEventKind.Close or FrameEventKind.Violation }];)
        {
            at = ReadFrame(stream, at);
        }

        return Seen.Joined(_seen);
    }

    /// <returns>Where the next frame begins.</returns>
    private int ReadFrame(byte[] stream, int at)
    {
        var isFinal = (stream[at] & 0x80) != 0;
        var rsv = (stream[at] >> 4) & 7;
        var opcode = (Opcode)(stream[at] & 15);
        var isControl = (stream[at] & 8) != 0;
        var length7 = stream[at + 1] & 0x7F;
        var mayBeCompressed = deflates && opcode is Opcode.Text or Opcode.Binary;
        if ((rsv != 0 && !(rsv == 4 && mayBeCompressed)) || (stream[at + 1] & 0x80) == 0 || (int)opcode is (> 2 and < 8) or > 10
            || (isControl && (!isFinal || length7 > 125)))
        {
            return Violation(CloseReason.ProtocolError);
        }

        at += 2;
        var wide = length7 switch { 126 => 2, 127 => 8, _ => 0 };
        if (stream.Length - at < wide + 4)
        {
            return stream.Length;
        }

        var length = wide switch
        {
            2 => BinaryPrimitives.ReadUInt16BigEndian(stream.AsSpan(at)),
            8 => BinaryPrimitives.ReadUInt64BigEndian(stream.AsSpan(at)),
            _ => (ulong)length7,
        };
        if ((wide == 2 && length < 126) || (wide == 8 && length is <= ushort.MaxValue or > long.MaxValue)
            || (!isControl && opcode == Opcode.Continuation == (_message == Opcode.Continuation)))
        {
            return Violation(CloseReason.ProtocolError);
        }

        if (!isControl && opcode != Opcode.Continuation)
        {
            (_message, _isCompressed) = (opcode, rsv == 4);
        }

        // A binary message that is not compressed is handed on in pieces: each frame may be as long as that.
        var most = (_message == Opcode.Text ? maxText : maxBinary) - _kept.Count;
        if (!isControl && (most < 0 || length > (ulong)most))
        {
            return Violation(CloseReason.TooBig);
        }

        var mask = stream.AsSpan(at + wide, 4);
        at += wide + 4;
        var isWhole = length <= (ulong)(stream.Length - at);
        var payload = stream[at..(isWhole ? at + (int)length : stream.Length)];
        for (var i = 0; i < payload.Length; i++)
        {
            payload[i] ^= mask[i % 4];
        }

        if (isControl)
        {
            if (isWhole)
            {
                Control(opcode, payload);
            }
        }
        else
        {
            Data(payload, isFinal && isWhole);
        }

        return at + payload.Length;
    }

    private void Control(Opcode opcode, byte[] payload)
    {
        if (opcode != Opcode.Close)
        {
            _seen.Add(opcode == Opcode.Ping ? Seen.Ping(payload) : Seen.Pong(payload));
            return;
        }

        var code = payload.Length < 2 ? (ushort)0 : BinaryPrimitives.ReadUInt16BigEndian(payload);
        _seen.Add(
            payload.Length == 0 ? Seen.Close(CloseReason.None)
            : code is < 1000 or 1004 or 1005 or 1006 or (> 1014 and < 3000) or > 4999 ? Seen.Violation(CloseReason.ProtocolError)
            : !Utf8.IsValid(payload.AsSpan(2)) ? Seen.Violation(CloseReason.NotUtf8)
            : Seen.Close(new CloseReason(code, Encoding.UTF8.GetString(payload.AsSpan(2)))));
    }

    private void Data(byte[] payload, bool isEnd)
    {
        var message = _message;
        _message = isEnd ? Opcode.Continuation : message;
        if (message == Opcode.Binary && !_isCompressed)
        {
            if (payload.Length > 0 || isEnd)
            {
                _seen.Add(Seen.Binary(payload, isEnd));
            }

            return;
        }

        _kept.AddRange(payload);
        if (!isEnd)
        {
            return;
        }

        var whole = _kept.ToArray();
        _kept.Clear();
        var most = message == Opcode.Text ? maxText : maxBinary;
        try
        {
            whole = _isCompressed ? Inflate(whole, most) : whole;
        }
        catch (InvalidDataException)
        {
            Violation(CloseReason.ProtocolError);
            return;
        }

        _seen.Add(
            whole.Length > most ? Seen.Violation(CloseReason.TooBig)
            : message == Opcode.Binary ? Seen.Binary(whole)
            : Utf8.IsValid(whole) ? Seen.Text(Encoding.UTF8.GetString(whole))
            : Seen.Violation(CloseReason.NotUtf8));
    }

    private static byte[] Inflate(byte[] compressed, int most)
    {
        var inflated = default(PartialPayload);
        try
        {
            MessageInflater.Inflate(compressed, most, ref inflated);
            return inflated.Bytes.ToArray();
        }
        finally
        {
            inflated.Release();
        }
    }

    private int Violation(CloseReason reason)
    {
        _seen.Add(Seen.Violation(reason));
        return int.MaxValue;
    }
}
