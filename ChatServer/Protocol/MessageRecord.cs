using System.Buffers.Text;
using System.Globalization;

namespace ChatServer.Protocol;

/// <summary>
/// A message as a room's log keeps it and nodes pass it on: a line <c>kind head tail origin</c>, then the JSON without its seq. Kind is
/// <c>m</c>, something that somebody said; head and tail are the bytes before and after the seq; the origin is the connection that sent
/// it, in 16 hexadecimal digits. Records of one call stand one after the other, with seqs that follow on each other.
/// </summary>
internal readonly ref struct MessageRecord
{
    /// <summary>The longest line, with two lengths of ten digits.</summary>
    public const int MaxLineLength = 1 + 1 + 10 + 1 + 10 + 1 + OriginLength + 1;

    private const int OriginLength = 16;

    private MessageRecord(ReadOnlySpan<byte> head, ReadOnlySpan<byte> tail, ulong origin)
    {
        Head = head;
        Tail = tail;
        Origin = origin;
    }

    /// <summary>The JSON up to the seq.</summary>
    public ReadOnlySpan<byte> Head { get; }

    /// <summary>The JSON after the seq.</summary>
    public ReadOnlySpan<byte> Tail { get; }

    /// <summary>The id of the connection that sent it.</summary>
    public ulong Origin { get; }

    /// <returns>The line's length.</returns>
    public static int WriteLine(Span<byte> line, int headLength, int tailLength, ulong origin)
    {
        var rest = line;
        "m "u8.CopyTo(rest);
        rest = rest[2..];
        Utf8Formatter.TryFormat(headLength, rest, out var written);
        rest[written] = (byte)' ';
        rest = rest[(written + 1)..];
        Utf8Formatter.TryFormat(tailLength, rest, out written);
        rest[written] = (byte)' ';
        rest = rest[(written + 1)..];
        origin.TryFormat(rest, out written, "x16", CultureInfo.InvariantCulture);
        rest[written] = (byte)'\n';
        return line.Length - rest.Length + written + 1;
    }

    /// <summary>Reads the first of some records.</summary>
    /// <param name="rest">What follows it; all of it if it can't be read.</param>
    /// <returns>False if no ChatServer wrote it.</returns>
    public static bool TryRead(ReadOnlySpan<byte> records, out MessageRecord record, out ReadOnlySpan<byte> rest)
    {
        record = default;
        rest = records;
        if (!records.StartsWith("m "u8))
        {
            return false;
        }

        var at = records[2..];
        if (!TryReadLength(ref at, out var headLength) || !TryReadLength(ref at, out var tailLength)
            || at.Length <= OriginLength || at[OriginLength] != '\n'
            || !Utf8Parser.TryParse(at[..OriginLength], out ulong origin, out var used, 'x') || used != OriginLength)
        {
            return false;
        }

        at = at[(OriginLength + 1)..];
        if ((long)headLength + tailLength > at.Length)
        {
            return false;
        }

        record = new(at[..headLength], at.Slice(headLength, tailLength), origin);
        rest = at[(headLength + tailLength)..];
        return record.Head.StartsWith("{\"type\":\""u8) && record.Tail.EndsWith("}"u8);
    }

    /// <summary>How many there are; -1 if a part of them can't be read.</summary>
    public static int Count(ReadOnlySpan<byte> records)
    {
        var count = 0;
        for (; !records.IsEmpty; count++)
        {
            if (!TryRead(records, out _, out records))
            {
                return -1;
            }
        }

        return count;
    }

    /// <summary>The message's JSON, in memory of its own.</summary>
    public byte[] Number(long seq)
    {
        var json = new byte[Head.Length + JsonBytes.Digits(seq) + Tail.Length];
        new JsonBytes(json).Raw(Head).Number(seq).Raw(Tail);
        return json;
    }

    private static bool TryReadLength(ref ReadOnlySpan<byte> at, out int length)
    {
        if (!Utf8Parser.TryParse(at, out length, out var used) || length < 0 || used >= at.Length || at[used] != ' ')
        {
            return false;
        }

        at = at[(used + 1)..];
        return true;
    }
}
