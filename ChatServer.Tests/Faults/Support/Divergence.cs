using System.Globalization;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Judges the histories of clients of a Redis that falls back to older data. Messages may be lost then, but nobody may believe to have what
/// others do not: in an epoch a seq is one message, and what clients hold of a room without having been told to begin anew is the same for
/// all of them.
/// </summary>
internal static class Divergence
{
    /// <returns>A line for each seq that is two messages.</returns>
    public static IReadOnlyList<string> Find(IReadOnlyList<ClientHistory> histories)
    {
        var inEpoch = new Dictionary<(Place, string Epoch, long Seq), string>();
        var held = new Dictionary<(Place, long Seq), string>();
        var found = new List<string>();
        foreach (var history in histories)
        {
            var rooms = history.Who.Rooms.ToDictionary(room => room, _ => new Held());
            foreach (var each in history.Events)
            {
                Follow(history.Who, rooms, each, (place, epoch, seq, identifier) =>
                    Note(inEpoch, (place, epoch, seq), identifier, found, $"in epoch {epoch} of {place}", seq));
            }

            foreach (var (room, view) in rooms)
            {
                foreach (var (seq, identifier) in view.Messages)
                {
                    Note(held, (new Place(history.Who.Company, room), seq), identifier, found, $"in the end in room {room}", seq);
                }
            }
        }

        return found;
    }

    private static void Follow(
        Persona who, Dictionary<long, Held> rooms, ChatEvent happened, Action<Place, string, long, string> told)
    {
        switch (happened)
        {
            case Joined joined:
                rooms[joined.Room].Join(joined);
                break;
            case Told message:
                Take(rooms[message.Room], message.Room, message.Seq, message.Identifier);
                break;
            case Acked acked when acked.Seq == rooms[acked.Room].Last + 1:
                Take(rooms[acked.Room], acked.Room, acked.Seq, acked.Identifier);
                break;
        }

        void Take(Held view, long room, long seq, string identifier)
        {
            view.Messages[seq] = identifier;
            view.Last = seq;
            told(new Place(who.Company, room), view.Epoch, seq, identifier);
        }
    }

    private static void Note<TKey>(
        Dictionary<TKey, string> known, TKey key, string identifier, List<string> found, string where, long seq)
        where TKey : notnull
    {
        if (!known.TryAdd(key, identifier) && known[key] != identifier)
        {
            found.Add(string.Create(CultureInfo.InvariantCulture, $"seq {seq} {where} is {known[key]} and {identifier}"));
        }
    }

    /// <summary>What a client holds of a room since it was last told to begin anew.</summary>
    private sealed class Held
    {
        public Dictionary<long, string> Messages { get; } = [];

        public string Epoch { get; private set; } = "";

        public long Last { get; set; }

        public void Join(Joined joined)
        {
            Epoch = joined.Epoch;
            if (!joined.Recovered)
            {
                Messages.Clear();
                Last = joined.Seq;
            }
            else if (joined is { Asked: true, Since: { } since })
            {
                foreach (var seq in Messages.Keys.Where(seq => seq > since).ToList())
                {
                    Messages.Remove(seq);
                }

                Last = since;
            }
        }
    }
}
