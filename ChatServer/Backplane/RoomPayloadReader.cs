using System.Buffers.Text;

namespace ChatServer.Backplane;

/// <summary>Hands what comes over one room's channel (<see cref="RoomPayload"/>) to its listener.</summary>
internal sealed class RoomPayloadReader(IRoomListener listener)
{
    /// <summary>The epoch of the last message, so that not each one makes a string of its own.</summary>
    private string _epoch = "";

    /// <returns>False if no ChatServer wrote a part of it; what comes before that part has been handed over.</returns>
    public bool Read(ReadOnlySpan<byte> payload)
    {
        do
        {
            var line = payload.IndexOf((byte)'\n');
            if (line < 0 || !ReadOne(payload[..line], payload[(line + 1)..], out var used))
            {
                return false;
            }

            payload = payload[(line + 1 + used)..];
        }
        while (!payload.IsEmpty);
        return true;
    }

    private bool ReadOne(ReadOnlySpan<byte> header, ReadOnlySpan<byte> rest, out int used)
    {
        Span<Range> parts = stackalloc Range[6];
        var count = Split(header, parts);
        if (count == 5 && header[parts[0]].SequenceEqual("m"u8)
            && Utf8Parser.TryParse(header[parts[1]], out long seq, out _) && RoomPayload.TryConnection(header[parts[3]], out var origin)
            && Utf8Parser.TryParse(header[parts[4]], out used, out _) && (uint)used <= (uint)rest.Length)
        {
            _epoch = Epoch.Read(header[parts[2]], _epoch);
            if (listener.Lacks(seq, _epoch))
            {
                listener.OnMessage(new(seq, _epoch, origin, rest[..used].ToArray()));
            }

            return true;
        }

        used = rest.Length;
        if (count == 3 && (header[parts[0]].SequenceEqual("n"u8) || header[parts[0]].SequenceEqual("w"u8))
            && Utf8Parser.TryParse(header[parts[1]], out long user, out _)
            && RoomPayload.TryConnection(header[parts[2]], out var connection))
        {
            listener.OnNotice(new(user, connection, rest.ToArray()) { MayWait = header[0] == 'w' });
            return true;
        }

        return false;
    }

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
