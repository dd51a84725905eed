using System.Globalization;
using StackExchange.Redis;

namespace ChatServer.Backplane;

/// <summary>
/// Entries of a room's log, as XRANGE answers. The accept script writes nothing but messages; one entry that somebody else put there, or
/// spoiled, must not take the others with it.
/// </summary>
internal static class LogEntries
{
    /// <summary>The messages up to the first hole: who reads on behind them finds out that something is missing.</summary>
    /// <param name="entries">In order.</param>
    /// <param name="head">The room's newest seq.</param>
    /// <param name="unreadable">The id of the first entry that is no message; null if there is none.</param>
    public static List<RelayedMessage> Read(RedisResult[] entries, string epoch, long head, out string? unreadable)
    {
        unreadable = null;
        var messages = new List<RelayedMessage>(entries.Length);
        foreach (var entry in entries)
        {
            if (!TryRead(entry, epoch, head, out var message))
            {
                unreadable ??= (string?)((RedisResult[])entry!)[0];
            }
            else if (messages.Count == 0 || message.Seq == messages[^1].Seq + 1)
            {
                messages.Add(message);
            }
            else
            {
                break;
            }
        }

        return messages;
    }

    /// <summary>The seq of an entry, or what stands in its place.</summary>
    public static long SeqOf(RedisResult entry)
    {
        var id = (string)((RedisResult[])entry!)[0]!;
        return long.TryParse(id.AsSpan(0, id.IndexOf('-')), NumberStyles.None, CultureInfo.InvariantCulture, out var seq)
            ? seq
            : long.MaxValue;
    }

    private static bool TryRead(RedisResult entry, string epoch, long head, out RelayedMessage message)
    {
        message = default;
        var parts = (RedisResult[])entry!;
        if ((RedisValue[]?)parts[1] is not { Length: >= 4 } fields || fields[0] != "m" || fields[2] != "o"
            || !((string)parts[0]!).EndsWith("-0", StringComparison.Ordinal) || SeqOf(entry) is var seq && seq > head)
        {
            return false;
        }

        ReadOnlyMemory<byte> json = fields[1];
        if (!json.Span.StartsWith("{\"type\":\""u8) || json.Span[^1] != '}'
            || !RoomPayload.TryConnection((byte[])fields[3]!, out var origin))
        {
            return false;
        }

        message = new(SeqOf(entry), epoch, origin, json);
        return true;
    }
}
