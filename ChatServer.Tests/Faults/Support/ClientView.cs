namespace ChatServer.Tests.Faults.Support;

/// <summary>One client's history, checked against the contract alone.</summary>
internal sealed class ClientView(ClientHistory client, Numbering numbering, Circumstances known)
{
    private readonly Dictionary<long, RoomView> _rooms = [];
    private readonly Dictionary<string, int> _firstSentOn = [];
    private int _connection;
    private bool _isDeaf;

    /// <summary>The last connection on which it did not read for a while; it may have been opened without its answer being read.</summary>
    private int _deafConnection = -1;
    private bool _isLoggedOut;

    public List<Finding> Found { get; } = [];

    /// <summary>Messages that the server handed out.</summary>
    public int Handed { get; private set; }

    public void Walk()
    {
        for (var index = 0; index < client.Events.Count; index++)
        {
            switch (client.Events[index])
            {
                case Connected connected:
                    _connection = connected.Connection;
                    break;
                case Sent sent:
                    _firstSentOn.TryAdd(sent.Identifier, sent.Connection);
                    break;
                case Joined joined:
                    OnJoined(joined, index);
                    break;
                case Told told:
                    OnTold(told, index);
                    break;
                case Acked acked:
                    OnAcked(acked, index);
                    break;
                case PutOut put:
                    OnPutOut(put, index);
                    break;
                case Reads reads:
                    (_isDeaf, _deafConnection) = (!reads.Again, reads.Connection);
                    break;
                case Logs logs:
                    _isLoggedOut = !logs.In;
                    break;
                case Ended { Code: Checker.SlowConsumer } when !_isDeaf && _connection > _deafConnection:
                    Add(Breach.CalledSlow, "closed as slow, though it reads", index);
                    break;
                case Ended { Code: >= 4500 } ended when !_isLoggedOut:
                    Add(Breach.TurnedAway, $"closed with {ended.Code}", index);
                    break;
            }
        }
    }

    /// <summary>After all clients' histories have been walked through.</summary>
    public void FindLost()
    {
        foreach (var room in client.Who.Rooms)
        {
            if (!_rooms.TryGetValue(room, out var view))
            {
                Add(Breach.Lost, $"was never in room {room}", 0);
                continue;
            }

            foreach (var (seq, identifier) in numbering.Of(PlaceOf(room)))
            {
                if (seq > view.Start && !view.Seen.Contains(seq))
                {
                    // The first event that shows a later seq of the room is where it should have been before.
                    Add(Breach.Lost, $"seq {seq} of room {room}, {identifier}, never came", IndexAfter(room, seq));
                }
            }
        }
    }

    private void OnJoined(Joined joined, int index)
    {
        if (!client.Who.Rooms.Contains(joined.Room))
        {
            Add(Breach.Foreign, $"{joined}", index);
            return;
        }

        if (!_rooms.TryGetValue(joined.Room, out var view))
        {
            _rooms[joined.Room] = new(joined.Seq, _connection);
            return;
        }

        if (view.IsOut && !joined.Asked)
        {
            Add(Breach.Overheard, $"{joined} after it was put out", index);
        }

        view.IsOut = false;
        if (joined.Recovered && joined.Asked && joined.Since is { } since)
        {
            view.GoOn(since, _connection);
        }
        else if (joined.Recovered && !joined.Asked && joined.Seq == view.Last)
        {
            // Another Redis process holds the data: the epoch has another name, in its place among the messages, and nothing else has
            // changed.
        }
        else
        {
            Add(Breach.Unrecovered, $"{joined} where the room was seen up to {view.Last}", index);
            view.BeginAnew(joined.Seq, _connection);
        }
    }

    private void OnTold(Told told, int index)
    {
        Handed++;
        if (told.Company != client.Who.Company || !_rooms.TryGetValue(told.Room, out var view))
        {
            Add(Breach.Foreign, $"{told}", index);
            return;
        }

        if (told.Body != Checker.AbridgedBodyOf(told.Identifier))
        {
            Add(Breach.Altered, $"{told}", index);
        }

        if (view.IsOut || known.Outsiders.Any(outsider =>
            outsider.User == client.Who.User && outsider.Room == told.Room && outsider.From < told.At && told.At < outsider.To))
        {
            Add(Breach.Overheard, $"seq {told.Seq} of room {told.Room} came to somebody who is out", index);
        }

        if (view.Connection != _connection)
        {
            Add(Breach.Disordered, $"seq {told.Seq} of room {told.Room} came before the room was joined", index);
        }

        numbering.Note(PlaceOf(told.Room), told.Seq, told.Identifier, client, index);
        if (told.Seq <= view.Last && view.AckedEarly.Remove(told.Seq))
        {
            // Sent on an earlier connection, it was acked here as a repetition before its copy came.
            return;
        }

        Take(view, told.Room, told.Seq, index);
    }

    private void OnPutOut(PutOut put, int index)
    {
        if (_rooms.TryGetValue(put.Room, out var view) && !view.IsOut)
        {
            view.IsOut = true;
        }
        else
        {
            Add(Breach.Foreign, $"{put} though it was not in that room", index);
        }
    }

    private void OnAcked(Acked acked, int index)
    {
        if (!_rooms.TryGetValue(acked.Room, out var view) || !_firstSentOn.TryGetValue(acked.Identifier, out var sentOn))
        {
            Add(Breach.Foreign, $"{acked}", index);
            return;
        }

        numbering.Ack(PlaceOf(acked.Room), acked.Seq, acked.Identifier, client, index);

        // An ack in its place is the sender's view of its message. The ack of a repetition may come at any time and says nothing about the
        // messages before it.
        if (acked.Seq == view.Last + 1)
        {
            Take(view, acked.Room, acked.Seq, index);
            if (sentOn != _connection)
            {
                view.AckedEarly.Add(acked.Seq);
            }
        }
    }

    private void Take(RoomView view, long room, long seq, int index)
    {
        if (!view.Seen.Add(seq))
        {
            Add(Breach.Doubled, $"seq {seq} of room {room} came again", index);
        }
        else if (seq != view.Last + 1)
        {
            Add(Breach.Disordered, $"seq {seq} of room {room} came after {view.Last}", index);
        }

        view.Last = Math.Max(view.Last, seq);
    }

    private int IndexAfter(long room, long seq)
    {
        for (var index = 0; index < client.Events.Count; index++)
        {
            if (client.Events[index] is Told told && told.Room == room && told.Seq > seq)
            {
                return index;
            }
        }

        return client.Events.Count - 1;
    }

    private Place PlaceOf(long room) => new(client.Who.Company, room);

    private void Add(Breach breach, string what, int index) => Found.Add(new(breach, what, client, index));

    /// <summary>What a client has seen of a room without interruption.</summary>
    private sealed class RoomView(long start, int connection)
    {
        public long Start { get; private set; } = start;

        public long Last { get; set; } = start;

        /// <summary>Whether it was put out and has not been let in again. Acks of what it sent before may still come.</summary>
        public bool IsOut { get; set; }

        /// <summary>The connection on which the room was last joined.</summary>
        public int Connection { get; private set; } = connection;

        public HashSet<long> Seen { get; } = [];

        public HashSet<long> AckedEarly { get; } = [];

        /// <summary>The client named <paramref name="since"/>: everything after it is to come, whatever came of it before.</summary>
        public void GoOn(long since, int connection)
        {
            Seen.RemoveWhere(seq => seq > since);
            AckedEarly.Clear();
            (Last, Connection) = (since, connection);
        }

        public void BeginAnew(long seq, int connection)
        {
            Seen.Clear();
            AckedEarly.Clear();
            (Start, Last, Connection) = (seq, seq, connection);
        }
    }
}
