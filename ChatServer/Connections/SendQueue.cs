namespace ChatServer.Connections;

/// <summary>
/// Bytes waiting to be sent, in order: copied into rented buffers, none while it is empty, and none so large that it would live on the large
/// object heap; or left where they are and shared with other peers' queues. Not thread-safe: its <see cref="Outbound"/> guards it. What
/// <see cref="First"/> shows stays in place until it is taken, whatever is appended.
/// </summary>
internal sealed class SendQueue
{
    private const int LeastBytes = 1024;
    private const int MostBytes = 65536;

    private Segment? _first;
    private Segment? _last;

    /// <summary>Bytes waiting.</summary>
    public int Length { get; private set; }

    /// <summary>Those among them that are shared with other queues.</summary>
    public int SharedLength { get; private set; }

    /// <summary>Those among them that are there for this queue alone.</summary>
    public int OwnLength => Length - SharedLength;

    /// <summary>Bytes of rented buffers that are this queue's alone.</summary>
    public int Capacity { get; private set; }

    /// <summary>The oldest bytes, as many as lie together, and no more than make a good write; empty only if the queue is.</summary>
    public ReadOnlyMemory<byte> First => _first is { } first
        ? first.Buffer.AsMemory(first.Start, Math.Min(MostBytes, first.End - first.Start))
        : default;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_last is null || _last.Shared is not null || _last.End == _last.Buffer.Length)
            {
                Extend(bytes.Length);
            }

            int taken = Math.Min(bytes.Length, _last!.Buffer.Length - _last.End);
            bytes[..taken].CopyTo(_last.Buffer.AsSpan(_last.End));
            _last.End += taken;
            Length += taken;
            bytes = bytes[taken..];
        }
    }

    /// <summary>Appends bytes without copying them.</summary>
    public void Append(SharedBytes shared, int start, int length)
    {
        shared.Hold();
        Link(new Segment(shared.Buffer) { Shared = shared, Start = start, End = start + length });
        Length += length;
        SharedLength += length;
    }

    /// <summary>Takes the oldest bytes off, at most those that <see cref="First"/> shows.</summary>
    public void Take(int count)
    {
        _first!.Start += count;
        Length -= count;
        SharedLength -= _first.Shared is null ? 0 : count;
        if (_first.Start == _first.End)
        {
            DropFirst();
        }
    }

    public void Clear()
    {
        while (_first is not null)
        {
            Length -= _first.Length;
            SharedLength -= _first.Shared is null ? 0 : _first.Length;
            DropFirst();
        }
    }

    /// <summary>Drops all but the first buffer, for while that is being written from.</summary>
    public void ClearBehindFirst()
    {
        if (_first is not null)
        {
            ClearBehind(_first);
        }
    }

    /// <summary>
    /// Drops what is shared and all behind it, but leaves the first buffer alone, whatever it is: it may be written from, and a frame in it
    /// may have left in part. What remains ends with a whole frame.
    /// </summary>
    public void ClearFromShared()
    {
        for (var segment = _first; segment is not null; segment = segment.Next)
        {
            if (segment.Next?.Shared is not null)
            {
                ClearBehind(segment);
            }
        }
    }

    private void ClearBehind(Segment kept)
    {
        if (kept.Next is not { } next)
        {
            return;
        }

        var first = _first;
        kept.Next = null;
        _first = next;
        Clear();
        (_first, _last) = (first, kept);
    }

    /// <summary>The more is waiting, the larger the next buffer: a peer that falls behind a little holds little.</summary>
    private void Extend(int wanted)
    {
        var added = new Segment(SendBuffers.Rent(Math.Clamp(Math.Max(wanted, OwnLength), LeastBytes, MostBytes)));
        Capacity += added.Buffer.Length;
        Link(added);
    }

    private void Link(Segment added)
    {
        _first ??= added;
        _last?.Next = added;
        _last = added;
    }

    private void DropFirst()
    {
        var gone = _first!;
        _first = gone.Next;
        if (_first is null)
        {
            _last = null;
        }

        if (gone.Shared is { } shared)
        {
            shared.LetGo();
        }
        else
        {
            Capacity -= gone.Buffer.Length;
            SendBuffers.Return(gone.Buffer);
        }
    }

    private sealed class Segment(byte[] buffer)
    {
        public readonly byte[] Buffer = buffer;
        public SharedBytes? Shared;
        public Segment? Next;
        public int Start;
        public int End;

        public int Length => End - Start;
    }
}
