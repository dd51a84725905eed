using System.Globalization;
using ChatServer.Protocol;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// Entries of a room's log, as XRANGE answers: <c>b</c> holds the records of one call, and the entry's id is the seq of the last one. The
/// version before this one wrote an entry for each message: <c>m</c> with its whole JSON, and <c>o</c> with its origin. Only the accept
/// script writes here; one entry that somebody else put there, or spoiled, must not take the others with it.
/// </summary>
internal static class LogEntries
{
    /// <summary>The messages up to the first hole: who reads on behind them finds out that something is missing.</summary>
    /// <param name="entries">In order.</param>
    /// <param name="after">The seq to read after; the first entry may begin before it.</param>
    /// <param name="head">The room's newest seq.</param>
    /// <param name="unreadable">The id of the first entry that holds no messages; null if there is none.</param>
    public static List<RelayedMessage> Read(RedisResult[] entries, long after, string epoch, long head, out string? unreadable)
    {
        unreadable = null;
        var messages = new List<RelayedMessage>(entries.Length);
        foreach (var entry in entries)
        {
            if (FirstSeqOf(entry, head) is not { } first)
            {
                unreadable ??= (string?)((RedisResult[])entry!)[0];
            }
            else if (messages.Count == 0 || first == messages[^1].Seq + 1)
            {
                Add(messages, entry, first, after, epoch);
            }
            else
            {
                break;
            }
        }

        return messages;
    }

    /// <summary>The seq of an entry's last message, or what stands in its place.</summary>
    public static long LastSeqOf(RedisResult entry)
    {
        var id = (string)((RedisResult[])entry!)[0]!;
        return long.TryParse(id.AsSpan(0, id.IndexOf('-')), NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? seq
            : long.MaxValue;
    }

    /// <summary>The seq of an entry's first message.</summary>
    /// <returns>Null if no ChatServer wrote it.</returns>
    private static long? FirstSeqOf(RedisResult entry, long head)
    {
        var last = LastSeqOf(entry);
        if (last > head || !((string)((RedisResult[])entry!)[0]!).EndsWith("-0", StringComparison.Ordinal))
        {
            return null;
        }

        return FieldsOf(entry) switch
        {
            [var name, var records] when name == "b" && MessageRecord.Count(Bytes(records)) is var count && count > 0 => last - count + 1,
            [var name, var json, var origin, var connection] when name == "m" && origin == "o"
                && Bytes(json).StartsWith("{\"type\":\""u8) && Bytes(json).EndsWith("}"u8)
                && RoomPayload.TryConnection(Bytes(connection), out _) => last,
            _ => null,
        };
    }

    private static void Add(List<RelayedMessage> messages, RedisResult entry, long first, long after, string epoch)
    {
        var fields = FieldsOf(entry);
        if (fields.Length > 2)
        {
            RoomPayload.TryConnection(Bytes(fields[3]), out var origin);
            messages.Add(new(first, epoch, origin, fields[1]));
            return;
        }

        var records = Bytes(fields[1]);
        for (var seq = first; !records.IsEmpty && MessageRecord.TryRead(records, out var record, out records); seq++)
        {
            if (seq > after)
            {
                messages.Add(new(seq, epoch, record.Origin, record.Number(seq)));
            }
        }
    }

    private static RedisValue[] FieldsOf(RedisResult entry) => (RedisValue[]?)((RedisResult[])entry!)[1] ?? [];

    private static ReadOnlySpan<byte> Bytes(RedisValue value) => ((ReadOnlyMemory<byte>)value).Span;
}
