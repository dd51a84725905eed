using System.Buffers;
using ChatServer.Relay;

namespace ChatServer.Rooms;

/// <summary>
/// What a room has delivered since one newcomer began to read the log: it closes the hole between the end of the log, as read, and the first live message.
/// Guarded by the room's lock. Bounded: past <see cref="MaxBytes"/> it covers nothing and the newcomer reads on.
/// </summary>
/// <param name="start">The room's seq when it began.</param>
/// <param name="next">The tail of another newcomer of the room.</param>
internal sealed class RoomTail(long start, RoomTail? next)
{
    private const int MaxBytes = 256 * 1024;

    private readonly List<RelayedMessage> _messages = [];
    private RoomTail? _next = next;
    private int _bytes;

    public static void Append(RoomTail? first, RelayedMessage message)
    {
        for (var tail = first; tail is not null; tail = tail._next)
        {
            tail._bytes = Math.Min(MaxBytes + 1, tail._bytes + message.Json.Length);
            if (tail._bytes <= MaxBytes)
            {
                tail._messages.Add(message);
            }
        }
    }

    /// <summary>The room's numbering has jumped: what the tails hold is no use.</summary>
    public static void Spoil(RoomTail? first)
    {
        for (var tail = first; tail is not null; tail = tail._next)
        {
            tail._bytes = MaxBytes + 1;
            tail._messages.Clear();
        }
    }

    /// <returns>The new first one.</returns>
    public static RoomTail? Remove(RoomTail? first, RoomTail tail)
    {
        if (first == tail)
        {
            return tail._next;
        }

        for (var other = first; other is not null; other = other._next)
        {
            if (other._next == tail)
            {
                other._next = tail._next;
            }
        }

        return first;
    }

    /// <summary>Whether somebody who has seen <paramref name="seen"/> gets everything up to <paramref name="head"/> from here.</summary>
    public bool Covers(long seen, long head) => seen >= head || (seen >= start && _bytes <= MaxBytes);

    public byte[] FramesAfter(long seen)
    {
        var frames = new ArrayBufferWriter<byte>();
        foreach (var message in _messages)
        {
            if (message.Seq > seen)
            {
                RoomFrames.WriteMessage(frames, message.Json.Span);
            }
        }

        return frames.WrittenSpan.ToArray();
    }
}
