using System.Buffers.Text;
using ChatServer.Protocol;

namespace ChatServer.Backplane;

/// <summary>Hands what comes over one room's channel (<see cref="RoomPayload"/>) to its listener.</summary>
internal sealed class RoomPayloadReader(IRoomListener listener)
{
    /// <summary>The epoch of the last message, so that not each one makes a string of its own.</summary>
    private string _epoch = "";

    /// <returns>False if no ChatServer wrote a part of it; what comes before that part has been handed over.</returns>
    public bool Read(ReadOnlySpan<byte> payload)
    {
        var line = payload.IndexOf((byte)'\n');
        Span<Range> parts = stackalloc Range[4];
        if (line < 0 || payload[..line] is var header && Split(header, parts) != 3)
        {
            return false;
        }

        var rest = payload[(line + 1)..];
        return header[parts[0]] switch
        {
            [(byte)'m'] => ReadMessages(header[parts[1]], header[parts[2]], rest),
            [(byte)'n' or (byte)'w'] => ReadNotice(header[0] == 'w', header[parts[1]], header[parts[2]], rest),
            _ => false,
        };
    }

    private bool ReadMessages(ReadOnlySpan<byte> first, ReadOnlySpan<byte> epoch, ReadOnlySpan<byte> records)
    {
        if (!Utf8Parser.TryParse(first, out long seq, out var used) || used != first.Length || records.IsEmpty)
        {
            return false;
        }

        _epoch = Epoch.Read(epoch, _epoch);
        for (; !records.IsEmpty; seq++)
        {
            if (!MessageRecord.TryRead(records, out var record, out records))
            {
                return false;
            }

            if (listener.Lacks(seq, _epoch))
            {
                listener.OnMessage(new(seq, _epoch, record.Origin, record.Number(seq)));
            }
        }

        return true;
    }

    private bool ReadNotice(bool mayWait, ReadOnlySpan<byte> exceptUser, ReadOnlySpan<byte> exceptConnection, ReadOnlySpan<byte> json)
    {
        if (!Utf8Parser.TryParse(exceptUser, out long user, out _) || !RoomPayload.TryConnection(exceptConnection, out var connection))
        {
            return false;
        }

        listener.OnNotice(new(user, connection, json.ToArray()) { MayWait = mayWait });
        return true;
    }

    /// <returns>-1 if there are too many.</returns>
    private static int Split(ReadOnlySpan<byte> header, Span<Range> parts)
    {
        var count = 0;
        foreach (var part in header.Split((byte)' '))
        {
            if (count == parts.Length)
            {
                return -1;
            }

            parts[count++] = part;
        }

        return count;
    }
}
