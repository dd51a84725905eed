using System.Buffers;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Wire;

namespace ChatServer.Rooms;

/// <summary>
/// What a room sends in one go: frames for all members, joined into one run of bytes so that each member costs one write, and the exceptions
/// from it: a sender gets its ack in the place of its own message, a newcomer gets its <c>joined</c> and nothing from before it.
/// Filled under the room's lock, sent by the room's pump without it.
/// </summary>
internal sealed class RoomBatch
{
    private const int DoubledUpTo = 64 * 1024;

    private readonly List<Special> _specials = [];
    private byte[] _frames = [];
    private int _length;

    public bool IsEmpty => _length == 0 && _specials.Count == 0;

    /// <summary>A message for all members but the one that sent it.</summary>
    public void AddMessage(RelayedMessage message, Member? sender)
    {
        var start = _length;
        var json = message.Json.Span;
        var open = MessageFrame.Opening(json);
        var payload = open.Length + json.Length + MessageFrame.Closing.Length;
        var destination = Reserve(FrameWriter.HeaderLength(payload) + payload);
        destination = destination[FrameWriter.WriteHeader(destination, Opcode.Text, payload)..];
        open.CopyTo(destination);
        json.CopyTo(destination[open.Length..]);
        MessageFrame.Closing.CopyTo(destination[(open.Length + json.Length)..]);
        Except(sender, start);
    }

    /// <summary>A ready frame for all members that the notice doesn't leave out.</summary>
    public void AddNotice(ReadOnlySpan<byte> json, ReadOnlySpan<Member?> members, RoomNotice notice)
    {
        var start = _length;
        FrameWriter.Write(Reserve(FrameWriter.HeaderLength(json.Length) + json.Length), Opcode.Text, json);
        foreach (var member in members)
        {
            if (member is not null && (member.Connection.Id == notice.ExceptConnection || member.Connection.Caller!.UserId == notice.ExceptUserId))
            {
                Except(member, start);
            }
        }
    }

    /// <summary>Ready frames for all members.</summary>
    public void AddForAll(ReadOnlySpan<byte> frames) => frames.CopyTo(Reserve(frames.Length));

    /// <summary>
    /// Frames for one member, in their place among the others. To one that has left they go too: before anything that its connection gets as a new
    /// member of the room.
    /// </summary>
    public void AddDirect(Member member, byte[] frames) => _specials.Add(new(member, _length, _length, frames));

    /// <summary>Frames for a member that has only just come: they are the first that it gets from this room.</summary>
    public void AddFirst(Member member, byte[] frames) => _specials.Add(new(member, 0, _length, frames));

    /// <summary>Sends all of it. Never waits for a socket.</summary>
    public void SendTo(ReadOnlySpan<Member?> members)
    {
        // Backwards, so that each member's exceptions hang together in the order in which they were added.
        for (var index = _specials.Count - 1; index >= 0; index--)
        {
            var member = _specials[index].Member;
            _specials[index] = _specials[index] with { Next = member.FirstSpecial };
            member.FirstSpecial = index;
        }

        var all = _frames.AsSpan(0, _length);
        if (_length > 0)
        {
            foreach (var member in members)
            {
                if (member is { FirstSpecial: < 0 })
                {
                    member.Connection.Send(all);
                }
            }
        }

        foreach (var (member, _, _, _) in _specials)
        {
            if (member.FirstSpecial >= 0)
            {
                SendWithSpecials(member, all);
                member.FirstSpecial = -1;
            }
        }
    }

    public void Clear()
    {
        _specials.Clear();
        _length = 0;
        if (_frames.Length > 0)
        {
            ArrayPool<byte>.Shared.Return(_frames);
            _frames = [];
        }
    }

    private void SendWithSpecials(Member member, ReadOnlySpan<byte> all)
    {
        var sent = 0;
        for (var index = member.FirstSpecial; index >= 0; index = _specials[index].Next)
        {
            var special = _specials[index];
            if (!SendAll(member, all[sent..special.From]) || (special.Direct is { Length: > 0 } frames && !member.Connection.Send(frames)))
            {
                return;
            }

            sent = special.To;
        }

        SendAll(member, all[sent..]);
    }

    /// <summary>A member that has left since the batch was filled gets its own receipts and nothing else.</summary>
    private static bool SendAll(Member member, ReadOnlySpan<byte> frames) => frames.IsEmpty || member.HasLeft || member.Connection.Send(frames);

    private void Except(Member? member, int start)
    {
        if (member is not null)
        {
            _specials.Add(new(member, start, _length, null));
        }
    }

    private Span<byte> Reserve(int count)
    {
        if (_frames.Length - _length < count)
        {
            var larger = ArrayPool<byte>.Shared.Rent(Math.Max(_length + count, Math.Min(DoubledUpTo, 2 * _frames.Length)));
            _frames.AsSpan(0, _length).CopyTo(larger);
            if (_frames.Length > 0)
            {
                ArrayPool<byte>.Shared.Return(_frames);
            }

            _frames = larger;
        }

        var reserved = _frames.AsSpan(_length, count);
        _length += count;
        return reserved;
    }

    /// <summary>At <paramref name="From"/> the member gets <paramref name="Direct"/>, and nothing of what lies before <paramref name="To"/>.</summary>
    private readonly record struct Special(Member Member, int From, int To, byte[]? Direct)
    {
        public int Next { get; init; } = -1;
    }
}
