using System.Buffers;
using ChatServer.Backplane;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Rooms;

/// <summary>
/// What a room has delivered while newcomers read its log, kept once for all of them: it closes the gap between the end of the log, as one
/// has read it, and the first live message. Seqs in it have no hole. Guarded by the room's lock. Bounded: past
/// <see cref="RoomOptions.MaxReplayBufferBytes"/> the oldest messages go, and who lacks those reads on.
/// </summary>
internal sealed class ReplayBuffer
{
    private readonly List<RelayedMessage> _messages = [];

    /// <summary>How many at the beginning of the list have gone.</summary>
    private int _gone;
    private int _bytes;
    private int _newcomers;

    /// <summary>A newcomer begins to read: what is delivered from now on is kept.</summary>
    public void Start() => _newcomers++;

    /// <summary>A newcomer is in, or gone; after the last one nothing is kept.</summary>
    public void Stop()
    {
        if (--_newcomers == 0)
        {
            Clear();
        }
    }

    /// <summary>The room has delivered a message.</summary>
    public void Append(RelayedMessage message)
    {
        if (_newcomers == 0)
        {
            return;
        }

        _messages.Add(message);
        _bytes += message.Json.Length;
        while (_bytes > RoomOptions.MaxReplayBufferBytes)
        {
            _bytes -= _messages[_gone].Json.Length;
            _messages[_gone++] = default;
        }

        if (_gone > _messages.Count / 2)
        {
            // Seldom enough to cost each message little.
            _messages.RemoveRange(0, _gone);
            _gone = 0;
        }
    }

    /// <summary>Drops everything: the room's numbering has jumped, so what is kept does not lead to what comes.</summary>
    public void Clear()
    {
        _messages.Clear();
        (_gone, _bytes) = (0, 0);
    }

    /// <summary>Whether it has everything after <paramref name="seen"/> up to <paramref name="head"/>, the room's seq.</summary>
    public bool Covers(long seen, long head) => seen >= head || (_gone < _messages.Count && _messages[_gone].Seq <= seen + 1);

    /// <summary>What it holds after a seq, as frames ready for the wire.</summary>
    public byte[] FramesAfter(long seen)
    {
        var frames = new ArrayBufferWriter<byte>();
        if (_gone < _messages.Count)
        {
            for (var index = _gone + Math.Max(0, seen + 1 - _messages[_gone].Seq); index < _messages.Count; index++)
            {
                RoomFrames.WriteMessage(frames, _messages[(int)index].Json.Span);
            }
        }

        return frames.WrittenSpan.ToArray();
    }
}
