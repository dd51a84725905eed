namespace ChatServer.Tests.Faults.Support;

/// <summary>What a client writes and when, and which of its messages have no ack. Guarded by the client's lock.</summary>
/// <param name="interval">How long it waits between two messages.</param>
internal sealed class Writer(Persona who, TimeSpan interval, Random random)
{
    private const int MaxUnacked = 16;

    /// <summary>
    /// Like people, it writes several messages in a row and then only reads: a node may hear nothing but its subscriptions for a while.
    /// </summary>
    private const int MostInRow = 30;
    private const int LongestSilence = 5000;

    private static readonly TimeSpan AckWithin = TimeSpan.FromSeconds(5);

    private readonly SortedDictionary<int, Unsettled> _unacked = [];
    private int _written;
    private int _leftInRow;
    private long _nextAt = TimeProvider.System.GetTimestamp();

    /// <summary>Whether it writes new messages; what has no ack is sent again in any case.</summary>
    public bool Sends { get; set; }

    public int Unacked => _unacked.Count;

    /// <summary>A time from now, as <see cref="TimeProvider.GetTimestamp"/> counts.</summary>
    public static long After(TimeSpan time, long now) => now + (long)(time.TotalSeconds * TimeProvider.System.TimestampFrequency);

    /// <summary>Has a message to send at once.</summary>
    public Unsettled Write(long room, bool isLarge = false) => _unacked[++_written] = new(room, Checker.Name(who.User, _written, isLarge));

    /// <summary>The next message to send, for the first time or again.</summary>
    /// <param name="isIn">Whether the client is in a room; what is for others goes out as soon as it is there.</param>
    public Unsettled? Next(long now, Func<long, bool> isIn)
    {
        var due = _unacked.Values.FirstOrDefault(message => message.DueAt <= now && isIn(message.Room));
        if (due is null && Sends && _nextAt <= now && _unacked.Count < MaxUnacked)
        {
            _leftInRow = _leftInRow > 0 ? _leftInRow - 1 : random.Next(MostInRow);
            _nextAt = After(_leftInRow > 0 ? interval : TimeSpan.FromMilliseconds(random.Next(LongestSilence)), now);
            due = Write(who.Rooms[(_written + 1) % who.Rooms.Count]);
            due = isIn(due.Room) ? due : null;
        }

        if (due is not null)
        {
            due.DueAt = After(AckWithin, now);
        }

        return due;
    }

    public void OnAcked(string identifier)
    {
        foreach (var number in _unacked.Where(message => message.Value.Identifier == identifier).Select(message => message.Key).ToList())
        {
            _unacked.Remove(number);
        }
    }

    /// <summary>It is to be sent again then.</summary>
    public void OnRefused(string identifier, long at)
    {
        foreach (var message in _unacked.Values.Where(message => message.Identifier == identifier))
        {
            message.DueAt = at;
        }
    }

    /// <summary>The connection is gone: everything without an ack is due again.</summary>
    public void OnEnded()
    {
        foreach (var message in _unacked.Values)
        {
            message.DueAt = 0;
        }
    }
}
