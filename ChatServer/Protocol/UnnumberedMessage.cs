namespace ChatServer.Protocol;

/// <summary>
/// A composed message without its seq, which only the accept step knows: two halves of JSON, and between them the space in which the
/// whole is put together, so that only the few bytes of the head are copied.
/// </summary>
internal sealed class UnnumberedMessage
{
    /// <summary>Digits of the largest seq.</summary>
    private const int MostDigits = 19;

    private readonly byte[] _bytes;
    private readonly int _headLength;
    private readonly int _tailLength;

    public UnnumberedMessage(int headLength, int tailLength)
    {
        (_headLength, _tailLength) = (headLength, tailLength);
        _bytes = new byte[headLength + headLength + MostDigits + tailLength];
    }

    /// <summary>Bytes of the JSON, but for the seq.</summary>
    public int Length => _headLength + _tailLength;

    /// <summary>The JSON up to the seq.</summary>
    public Memory<byte> Head => _bytes.AsMemory(0, _headLength);

    /// <summary>The JSON after the seq.</summary>
    public Memory<byte> Tail => _bytes.AsMemory(_bytes.Length - _tailLength);

    /// <summary>The whole message. A second call would overwrite what the first one returned.</summary>
    public ReadOnlyMemory<byte> Number(long seq)
    {
        var length = _headLength + JsonBytes.Digits(seq);
        var start = _bytes.Length - _tailLength - length;
        new JsonBytes(_bytes.AsSpan(start, length)).Raw(Head.Span).Number(seq);
        return _bytes.AsMemory(start);
    }
}
