namespace ChatServer.Bench.Drive;

/// <summary>How a message arrived.</summary>
internal enum Arrival
{
    InOrder,

    /// <summary>After one that was sent later.</summary>
    Late,
    Doubled,
    Misrouted,
}

/// <summary>
/// Accounts for all deliveries: every member of a room has to get every message of the room's sender once and in order; the sender itself
/// too if the server echoes, else never. Messages that are skipped are remembered one by one, so that a late one is told from a doubled one
/// and what never came is counted exactly.
/// </summary>
/// <param name="echoes">Whether senders get their own messages.</param>
internal sealed class Ledger(int connections, int rooms, bool echoes)
{
    private readonly uint[] _last = new uint[connections];
    private readonly HashSet<uint>?[] _missing = new HashSet<uint>?[connections];

    /// <summary>Deliveries that are due for each message.</summary>
    public int Receivers => (connections / rooms) - (echoes ? 0 : 1);

    public long Doubled { get; private set; }

    public long Disordered { get; private set; }

    public long Misrouted { get; private set; }

    /// <summary>Deliveries, doubled and misrouted ones not counted.</summary>
    public long Delivered { get; private set; }

    public Arrival Take(int receiver, in Marker marker)
    {
        // The first member of a room sends: its index is the room's.
        if (marker.Sender != receiver % rooms || (receiver == marker.Sender && !echoes))
        {
            Misrouted++;
            return Arrival.Misrouted;
        }

        var last = _last[receiver];
        if (marker.Number == last + 1)
        {
            _last[receiver] = marker.Number;
            Delivered++;
            return Arrival.InOrder;
        }

        return marker.Number > last ? Skip(receiver, last, marker.Number) : TakeOld(receiver, marker.Number);
    }

    /// <summary>How many messages never came.</summary>
    /// <param name="sentBy">How many a sender has sent.</param>
    public long CountLost(Func<int, uint> sentBy)
    {
        var lost = 0L;
        for (var receiver = echoes ? 0 : rooms; receiver < connections; receiver++)
        {
            lost += sentBy(receiver % rooms) - _last[receiver] + (_missing[receiver]?.Count ?? 0);
        }

        return lost;
    }

    private Arrival Skip(int receiver, uint last, uint number)
    {
        var missing = _missing[receiver] ??= [];
        for (var skipped = last + 1; skipped < number; skipped++)
        {
            missing.Add(skipped);
        }

        _last[receiver] = number;
        Delivered++;
        return Arrival.InOrder;
    }

    private Arrival TakeOld(int receiver, uint number)
    {
        if (_missing[receiver]?.Remove(number) == true)
        {
            Disordered++;
            Delivered++;
            return Arrival.Late;
        }

        Doubled++;
        return Arrival.Doubled;
    }
}
