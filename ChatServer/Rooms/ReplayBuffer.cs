using System.Buffers;
using ChatServer.Backplane;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Rooms;

/// <summary>
/// What a room has delivered since one newcomer began to read the log: it closes the gap between the end of the log, as read, and the
/// first live message. Guarded by the room's lock. Bounded: past <see cref="RoomOptions.MaxReplayBufferBytes"/> it covers nothing and the
/// newcomer reads on.
/// </summary>
/// <param name="start">The room's seq when it began.</param>
/// <param name="next">The buffer of another newcomer of the room.</param>
internal sealed class ReplayBuffer(long start, ReplayBuffer? next)
{
    private readonly List<RelayedMessage> _messages = [];
    private int _bytes;

    /// <summary>The next one in <see cref="ReplayBuffers"/>.</summary>
    internal ReplayBuffer? Next { get; set; } = next;

    /// <summary>Whether it has everything after <paramref name="seen"/> up to <paramref name="head"/>.</summary>
    public bool Covers(long seen, long head) => seen >= head || (seen >= start && _bytes <= RoomOptions.MaxReplayBufferBytes);

    /// <summary>What it holds after a seq, as frames ready for the wire.</summary>
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

    internal void Append(RelayedMessage message)
    {
        _bytes = Math.Min(RoomOptions.MaxReplayBufferBytes + 1, _bytes + message.Json.Length);
        if (_bytes <= RoomOptions.MaxReplayBufferBytes)
        {
            _messages.Add(message);
        }
    }

    internal void Spoil()
    {
        _bytes = RoomOptions.MaxReplayBufferBytes + 1;
        _messages.Clear();
    }
}
