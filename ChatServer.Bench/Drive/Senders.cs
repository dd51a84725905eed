namespace ChatServer.Bench.Drive;

/// <summary>
/// The first member of each room, which sends: as fast as its window allows (closed loop), or when a message is due (open loop).
/// </summary>
internal sealed class Senders
{
    private const long StallAfter = 2_000_000_000;
    private const int IdentifierLength = 25;

    private readonly Plan _plan;
    private readonly Dialect _dialect;
    private readonly ITransport _transport;
    private readonly Connection[] _connections;
    private readonly byte[] _body;
    private readonly byte[] _frame;
    private readonly byte[] _identifier = new byte[IdentifierLength];
    private readonly double _gap;
    private readonly List<Connection> _dirty = [];
    private bool _isOpen;
    private long _begin;
    private long _due;
    private long _lookedForStalls;

    public Senders(Plan plan, Dialect dialect, ITransport transport, Connection[] connections)
    {
        (_plan, _dialect, _transport, _connections) = (plan, dialect, transport, connections);
        _body = new byte[plan.BodyBytes];
        for (var index = 0; index < _body.Length; index++)
        {
            _body[index] = "The quick brown fox jumps over the lazy dog; "u8[index % 45];
        }

        _frame = new byte[plan.BodyBytes + 256];
        _gap = plan.Kind == WorkKind.Rate ? 1e9 / plan.Rate : 0;
    }

    public long Sent { get; private set; }

    public long Stalls { get; private set; }

    /// <summary>How late messages were sent that were due at a time.</summary>
    public Histogram Lag { get; } = new();

    /// <returns>When a message was due or made, by the identifier in a frame about it.</returns>
    /// <exception cref="InvalidDataException">There is none of ours.</exception>
    public static long StampOf(ReadOnlySpan<byte> frame)
    {
        var name = "\"identifier\":\""u8;
        return frame.IndexOf(name) is var start and >= 0 && Marker.TryReadHex(frame[(start + name.Length)..], out var stamp)
            ? (long)stamp
            : throw new InvalidDataException("a frame without an identifier");
    }

    public void Start(long now)
    {
        (_isOpen, _begin, _lookedForStalls) = (true, now, now);
        for (var room = 0; _plan.Kind == WorkKind.Fanout && room < _plan.Rooms; room++)
        {
            _connections[room].MovedAt = now;
            Fill(_connections[room], now);
        }

        Flush();
    }

    public void Stop() => _isOpen = false;

    /// <summary>Sends what is due by now.</summary>
    /// <returns>When the next message is due.</returns>
    public long SendDue(long now)
    {
        if (_plan.Kind == WorkKind.Fanout)
        {
            FreeStalled(now);
            Flush();
            return long.MaxValue;
        }

        for (; DueAt(_due) <= now; _due++)
        {
            // Stamped with the time at which it was due, however late the generator is itself.
            Send(_connections[_due % _plan.Rooms], DueAt(_due));
            Lag.Add(now - DueAt(_due));
        }

        Flush();
        return DueAt(_due);
    }

    /// <summary>The next member of the room has it, so one more may be sent.</summary>
    public void Delivered(Connection receiver, in Marker marker, long now)
    {
        if (_plan.Kind == WorkKind.Fanout && receiver.Index == marker.Sender + _plan.Rooms)
        {
            var sender = _connections[marker.Sender];
            sender.LastReleased = Math.Max(sender.LastReleased, marker.Number);
            sender.MovedAt = now;
            Fill(sender, now);
        }
    }

    /// <summary>What one read has released leaves in one write a sender.</summary>
    public void Flush()
    {
        foreach (var sender in _dirty)
        {
            sender.IsDirty = false;
            _transport.Flush(sender);
        }

        _dirty.Clear();
    }

    private long DueAt(long number) => _begin + (long)(number * _gap);

    private void Fill(Connection sender, long now)
    {
        while (_isOpen && sender.Stage == Stage.Ready && sender.LastSent - sender.LastReleased < _plan.Window)
        {
            Send(sender, now);
        }
    }

    private void FreeStalled(long now)
    {
        if (now - _lookedForStalls < StallAfter / 10)
        {
            return;
        }

        _lookedForStalls = now;
        foreach (var sender in _connections.AsSpan(0, _plan.Rooms))
        {
            if (now - sender.MovedAt > StallAfter)
            {
                Stalls++;
                sender.MovedAt = now;
                sender.LastReleased = sender.LastSent;
                Fill(sender, now);
            }
        }
    }

    private void Send(Connection sender, long stamp)
    {
        sender.LastSent++;
        Sent++;
        new Marker(stamp, sender.Index, sender.LastSent).Write(_body);

        // The time makes it unique over several generators in a row, whose senders are the same users.
        Marker.Hex(_identifier.AsSpan(0, 16), (ulong)stamp);
        _identifier[16] = (byte)'-';
        Marker.Hex(_identifier.AsSpan(17), sender.LastSent);
        var length = _dialect.Write(sender, _identifier, _body, _frame);
        sender.Out.AppendFrame(Op.Text, _frame.AsSpan(0, length));
        if (!sender.IsDirty)
        {
            sender.IsDirty = true;
            _dirty.Add(sender);
        }
    }
}
