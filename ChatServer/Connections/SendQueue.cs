namespace ChatServer.Connections;

/// <summary>
/// Bytes waiting to be sent, in order, in rented buffers: none while it is empty, and none so large that it would live on the large object
/// heap. Not thread-safe: its <see cref="Outbound"/> guards it. What <see cref="First"/> shows stays in place until it is taken, whatever
/// is appended.
/// </summary>
internal sealed class SendQueue
{
    private const int LeastBytes = 1024;
    private const int MostBytes = 65536;

    private Segment? _first;
    private Segment? _last;

    /// <summary>Bytes waiting.</summary>
    public int Length { get; private set; }

    /// <summary>Bytes of rented buffers.</summary>
    public int Capacity { get; private set; }

    /// <summary>The oldest bytes, as many as lie together; empty only if the queue is.</summary>
    public ReadOnlyMemory<byte> First => _first is { } first ? first.Buffer.AsMemory(first.Start, first.End - first.Start) : default;

    public void Append(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty)
        {
            if (_last is null || _last.End == _last.Buffer.Length)
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

    /// <summary>Takes the oldest bytes off, at most those that <see cref="First"/> shows.</summary>
    public void Take(int count)
    {
        _first!.Start += count;
        Length -= count;
        if (_first.Start == _first.End)
        {
            DropFirst();
        }
    }

    public void Clear()
    {
        while (_first is not null)
        {
            Length -= _first.End - _first.Start;
            DropFirst();
        }
    }

    /// <summary>Drops all but the first buffer, for while that is being written from.</summary>
    public void ClearBehindFirst()
    {
        if (_first is not { Next: { } next } first)
        {
            return;
        }

        first.Next = null;
        _first = next;
        Clear();
        _first = _last = first;
    }

    /// <summary>The more is waiting, the larger the next buffer: a peer that falls behind a little holds little.</summary>
    private void Extend(int wanted)
    {
        var added = new Segment(SendBuffers.Rent(Math.Clamp(Math.Max(wanted, Length), LeastBytes, MostBytes)));
        Capacity += added.Buffer.Length;
        _first ??= added;
        _last?.Next = added;
        _last = added;
    }

    private void DropFirst()
    {
        var gone = _first!;
        Capacity -= gone.Buffer.Length;
        _first = gone.Next;
        if (_first is null)
        {
            _last = null;
        }

        SendBuffers.Return(gone.Buffer);
    }

    private sealed class Segment(byte[] buffer)
    {
        public readonly byte[] Buffer = buffer;
        public Segment? Next;
        public int Start;
        public int End;
    }
}
