namespace ChatServer.Protocol;

/// <summary>
/// A composed message without its seq, which only the accept step knows. It is stored and relayed without it, as a
/// <see cref="MessageRecord"/>; whoever hands it to members puts the seq in its place.
/// </summary>
internal sealed class UnnumberedMessage
{
    private readonly byte[] _bytes;
    private readonly int _headLength;
    private readonly int _tailLength;
    private long _seq;

    public UnnumberedMessage(int headLength, int tailLength)
    {
        (_headLength, _tailLength) = (headLength, tailLength);
        _bytes = new byte[MessageRecord.MaxLineLength + headLength + tailLength];
    }

    /// <summary>Bytes of the JSON, but for the seq.</summary>
    public int Length => _headLength + _tailLength;

    /// <summary>The JSON up to the seq.</summary>
    public Memory<byte> Head => _bytes.AsMemory(MessageRecord.MaxLineLength, _headLength);

    /// <summary>The JSON after the seq.</summary>
    public Memory<byte> Tail => _bytes.AsMemory(MessageRecord.MaxLineLength + _headLength);

    /// <summary>As it is stored and relayed.</summary>
    /// <param name="origin">The connection that sent it.</param>
    public ReadOnlyMemory<byte> Record(ulong origin)
    {
        Span<byte> line = stackalloc byte[MessageRecord.MaxLineLength];
        line = line[..MessageRecord.WriteLine(line, _headLength, _tailLength, origin)];
        var start = MessageRecord.MaxLineLength - line.Length;
        line.CopyTo(_bytes.AsSpan(start));
        return _bytes.AsMemory(start);
    }

    /// <summary>
    /// The whole message. Its head moves for it, into the space of the record's line: from then on neither the record nor the halves may be
    /// used.
    /// </summary>
    /// <exception cref="InvalidOperationException">It has another seq already.</exception>
    public ReadOnlyMemory<byte> Number(long seq)
    {
        var start = MessageRecord.MaxLineLength - JsonBytes.Digits(seq);
        if (_seq == 0)
        {
            Head.Span.CopyTo(_bytes.AsSpan(start));
            new JsonBytes(_bytes.AsSpan(start + _headLength)).Number(seq);
            _seq = seq;
        }

        return _seq == seq ? _bytes.AsMemory(start) : throw new InvalidOperationException($"The message has seq {_seq}.");
    }
}
