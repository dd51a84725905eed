using ChatServer.Backplane;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.WebSockets;

namespace ChatServer.Rooms.Fanout;

/// <summary>
/// What a room sends in one go: frames for all members, joined into one run of bytes so that each member costs one write, and the
/// exceptions from it: a sender gets its ack in the place of its own message, a newcomer gets its <c>joined</c> and nothing from before it.
/// Filled under the room's lock, sent by the room's pump without it.
/// </summary>
internal sealed class RoomBatch
{
    private readonly List<Special> _specials = [];
    private readonly DeflatedFrames _deflated = new();
    private readonly PooledBytes _frames = new();
    private readonly PooledBytes _directs = new();
    private readonly PooledBytes _joined = new();

    public bool IsEmpty => _frames.Length == 0 && _specials.Count == 0;

    /// <summary>Whether it is large enough to leave alone; what else there is goes with the next one.</summary>
    public bool IsFull => _frames.Length + _directs.Length >= FanoutOptions.BatchBytes;

    /// <summary>A message for all members but the one that sent it.</summary>
    public void AddMessage(RelayedMessage message, Member? sender)
    {
        var start = _frames.Length;
        RoomFrames.WriteMessage(_frames.Reserve(RoomFrames.MessageLength(message.Json.Span)), message.Json.Span);
        Except(sender, start);
    }

    /// <summary>A ready frame for all members that the notice doesn't leave out.</summary>
    public void AddNotice(ReadOnlySpan<byte> json, ReadOnlySpan<Member?> members, RoomNotice notice)
    {
        var start = _frames.Length;
        FrameWriter.Write(_frames.Reserve(FrameWriter.HeaderLength(json.Length) + json.Length), Opcode.Text, json);
        foreach (var member in members)
        {
            if (member is not null
                && (member.Connection.Id == notice.ExceptConnection || member.Connection.Caller!.UserId == notice.ExceptUserId))
            {
                Except(member, start);
            }
        }
    }

    /// <summary>Ready frames for all members.</summary>
    public void AddForAll(ReadOnlySpan<byte> frames) => _frames.Write(frames);

    /// <summary>
    /// Frames for one member, in their place among the others. To one that has left they go too: before anything that its connection gets
    /// as a new member of the room.
    /// </summary>
    public void AddDirect(Member member, ReadOnlySpan<byte> frames)
    {
        _directs.Write(frames);
        AddSpecial(member, _frames.Length, frames.Length);
    }

    /// <summary>The ack of a message, in the message's place.</summary>
    public void AddAck(Member sender, RelayedMessage message)
    {
        var ack = Ack.Of(message.Json.Span, message.Seq);
        var length = RoomFrames.AckLength(ack);
        RoomFrames.WriteAck(_directs.Reserve(length), ack);
        AddSpecial(sender, _frames.Length, length);
    }

    /// <summary>Frames for a member that has only just come: they are the first that it gets from this room.</summary>
    public void AddFirst(Member member, ReadOnlySpan<byte> frames)
    {
        _directs.Write(frames);
        AddSpecial(member, 0, frames.Length);
    }

    /// <summary>Sends all of it. Never waits for a socket.</summary>
    public void SendTo(ReadOnlySpan<Member?> members)
    {
        // Backwards, so that each member's list of exceptions is in the order in which they were added.
        for (var index = _specials.Count - 1; index >= 0; index--)
        {
            var member = _specials[index].Member;
            _specials[index] = _specials[index] with { Next = member.FirstSpecial };
            member.FirstSpecial = index;
        }

        if (_frames.Length > 0)
        {
            foreach (var member in members)
            {
                if (member is { FirstSpecial: < 0 })
                {
                    member.Connection.Send(FramesFor(member), 0);
                }
            }
        }

        foreach (var (member, _, _, _, _) in _specials)
        {
            if (member.FirstSpecial >= 0)
            {
                SendWithSpecials(member);
                member.FirstSpecial = -1;
            }
        }
    }

    public void Clear()
    {
        _specials.Clear();
        _frames.Clear();
        _deflated.Clear();
        _directs.Clear();
        _joined.Clear();
    }

    /// <summary>
    /// Joined first, so that it costs one write here too. A member that has left since the batch was filled gets its own acks and
    /// nothing else.
    /// </summary>
    private void SendWithSpecials(Member member)
    {
        var all = FramesFor(member).Written;
        var sent = 0;
        if (_joined.Length >= FanoutOptions.BatchBytes)
        {
            _joined.Clear();
        }

        var begin = _joined.Length;
        for (var index = member.FirstSpecial; index >= 0; index = _specials[index].Next)
        {
            var special = _specials[index];
            Join(member, all[sent..PlaceFor(member, special.From)]);
            _joined.Write(_directs.Written.Slice(special.DirectAt, special.DirectLength));
            sent = PlaceFor(member, special.To);
        }

        Join(member, all[sent..]);
        if (_joined.Length > begin)
        {
            member.Connection.Send(_joined, begin);
        }
    }

    private PooledBytes FramesFor(Member member)
    {
        if (!member.Connection.Deflates)
        {
            return _frames;
        }

        if (_deflated.Frames.Length == 0 && _frames.Length > 0)
        {
            _deflated.Make(_frames.WrittenMemory);
        }

        return _deflated.Frames;
    }

    private int PlaceFor(Member member, int place) => member.Connection.Deflates && _frames.Length > 0 ? _deflated.PlaceOf(place) : place;

    private void Join(Member member, ReadOnlySpan<byte> frames)
    {
        if (!member.HasLeft)
        {
            _joined.Write(frames);
        }
    }

    private void Except(Member? member, int start)
    {
        if (member is not null)
        {
            AddSpecial(member, start, 0);
        }
    }

    private void AddSpecial(Member member, int from, int directLength) =>
        _specials.Add(new(member, from, _frames.Length, _directs.Length - directLength, directLength));

    /// <summary>
    /// At <paramref name="From"/> the member gets its direct frames, and nothing of what lies before <paramref name="To"/>.
    /// </summary>
    private readonly record struct Special(Member Member, int From, int To, int DirectAt, int DirectLength)
    {
        public int Next { get; init; } = -1;
    }
}
