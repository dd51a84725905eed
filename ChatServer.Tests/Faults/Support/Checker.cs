namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Judges what happened to all clients, and what Quantum has, after the end of all faults: each acked message was handed to each member of
/// its room exactly once in a continuous view, in seq order, and Quantum has it exactly once, in seq order. Knows the contract and nothing
/// of the server.
/// </summary>
internal static class Checker
{
    /// <summary>How long a save may take that nothing hinders.</summary>
    public static readonly TimeSpan SaveWithin = TimeSpan.FromSeconds(5);

    /// <summary>The close code of one who does not take what waits for it.</summary>
    public const int SlowConsumer = 4001;

    private const int LargeBytes = 60_000;
    private const char Filling = 'b';
    private const string Large = "large";

    public static Findings Check(IReadOnlyList<ClientHistory> clients, IReadOnlyList<SavedRow> rows, Circumstances? known = null)
    {
        known ??= new();
        var numbering = new Numbering();
        var views = clients.Select(client => new ClientView(client, numbering, known)).ToList();
        foreach (var view in views)
        {
            view.Walk();
        }

        foreach (var view in views)
        {
            view.FindLost();
        }

        var found = views.SelectMany(view => view.Found).Concat(numbering.Found).Concat(CheckRows(clients, rows, numbering)).ToList();
        if (known.SaveCalls > rows.Count)
        {
            found.Add(new(Breach.SavedAgain, $"{known.SaveCalls} calls made {rows.Count} rows"));
        }

        var unhindered = Unhindered(clients, rows, known.Unhindered);
        found.AddRange(unhindered.Where(save => save.Took > SaveWithin).Select(save =>
            new Finding(Breach.SavedLate, $"{save.Acked} was saved after {save.Took}", save.Who, save.Index)));
        return new(found, numbering.Acked, views.Sum(view => view.Handed))
        {
            Unhindered = unhindered.Count,
            Slowest = unhindered.Select(save => save.Took).DefaultIfEmpty().Max(),
            PutOut = clients.Sum(client => client.Events.OfType<PutOut>().Count()),
            Slow = clients.Sum(client => client.Events.OfType<Ended>().Count(ended => ended.Code == SlowConsumer)),
        };
    }

    /// <summary>The name of a client's message, which says whether it is a large one.</summary>
    public static string Name(long user, int number, bool isLarge) => $"u{user}n{number}{(isLarge ? Large : "")}";

    /// <summary>What a client writes, so that it can be known again.</summary>
    public static string BodyOf(string identifier) => TextOf(identifier) + new string(Filling, FillingOf(identifier));

    /// <summary>The same as histories and rows hold it.</summary>
    public static string AbridgedBodyOf(string identifier) => Abridged(TextOf(identifier), FillingOf(identifier));

    /// <summary>A body as histories and rows hold it: the filling of a large one is counted.</summary>
    public static string Abridge(string body)
    {
        var text = body.TrimEnd(Filling);
        return Abridged(text, body.Length - text.Length);
    }

    private static string Abridged(string text, int filling) => filling == 0 ? text : $"{text} {filling} x {Filling}";

    private static string TextOf(string identifier) => $"This is {identifier}.";

    private static int FillingOf(string identifier) => identifier.EndsWith(Large, StringComparison.Ordinal) ? LargeBytes : 0;

    /// <summary>
    /// The messages that were acked while nothing hindered the saves of their company, and long enough before that changed, with the time
    /// that each of them took. One that was never saved counts as missing, not here.
    /// </summary>
    private static List<(ClientHistory Who, int Index, Acked Acked, TimeSpan Took)> Unhindered(
        IReadOnlyList<ClientHistory> clients, IReadOnlyList<SavedRow> rows, IReadOnlyList<Undisturbed> times)
    {
        var saved = rows.ToLookup(row => (row.User, row.Room, row.Identifier));
        var found = new List<(ClientHistory, int, Acked, TimeSpan)>();
        foreach (var client in clients)
        {
            var its = times.Where(time => time.Company == client.Who.Company).ToList();
            for (var index = 0; its.Count > 0 && index < client.Events.Count; index++)
            {
                if (client.Events[index] is Acked acked && its.Exists(time => time.From <= acked.At && acked.At <= time.To - SaveWithin)
                    && saved[(client.Who.User, acked.Room, acked.Identifier)].FirstOrDefault() is { } row)
                {
                    found.Add((client, index, acked, row.At > acked.At ? row.At - acked.At : TimeSpan.Zero));
                }
            }
        }

        return found;
    }

    private static IEnumerable<Finding> CheckRows(IReadOnlyList<ClientHistory> clients, IReadOnlyList<SavedRow> rows, Numbering numbering)
    {
        var personas = clients.ToDictionary(client => client.Who.User, client => client.Who);
        foreach (var row in rows)
        {
            if (!personas.TryGetValue(row.User, out var who) || who.Company != row.Company || !who.Rooms.Contains(row.Room))
            {
                yield return new(Breach.Foreign, $"{row} was saved under a name that can't have sent it");
            }

            if (row.Body != AbridgedBodyOf(row.Identifier))
            {
                yield return new(Breach.Altered, $"{row}");
            }
        }

        var saved = rows.ToLookup(row => (new Place(row.Company, row.Room), row.Identifier));
        foreach (var (place, identifier, seq) in numbering.AllAcked)
        {
            if (saved[(place, identifier)].Count() is var count and not 1)
            {
                yield return new(Breach.Missaved, $"{identifier}, seq {seq} of {place}, has {count} rows");
            }
        }

        foreach (var room in rows.GroupBy(row => new Place(row.Company, row.Room)))
        {
            var last = 0L;
            foreach (var row in room)
            {
                if (numbering.SeqOf(room.Key, row.Identifier) is { } seq)
                {
                    if (seq < last)
                    {
                        yield return new(Breach.MissavedOrder, $"{row.Identifier}, seq {seq} of {room.Key}, was saved after seq {last}");
                    }

                    last = Math.Max(last, seq);
                }
            }
        }
    }
}

/// <summary>What is known of a run besides histories and rows.</summary>
internal sealed record Circumstances
{
    /// <summary>How often Quantum was asked to save, in a run without faults; null if faults may be the reason for asking again.</summary>
    public int? SaveCalls { get; init; }

    public IReadOnlyList<Undisturbed> Unhindered { get; init; } = [];

    public IReadOnlyList<Outsider> Outsiders { get; init; } = [];
}

/// <summary>A time in which nothing was in the way of a company's saves: Redis, Quantum for that company, and the nodes were well.</summary>
internal sealed record Undisturbed(long Company, DateTimeOffset From, DateTimeOffset To);

/// <summary>A time in which every node had heard that Quantum no longer counts a user among a room's members.</summary>
internal sealed record Outsider(long User, long Room, DateTimeOffset From, DateTimeOffset To);

/// <summary>A room as the world knows it.</summary>
internal readonly record struct Place(long Company, long Room);
