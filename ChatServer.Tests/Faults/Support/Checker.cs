namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// Judges what happened to all clients, and what Quantum has, after the end of all faults: each acked message was handed to each member of
/// its room exactly once in a continuous view, in seq order, and Quantum has it exactly once, in seq order. Knows the contract and nothing
/// of the server.
/// </summary>
internal static class Checker
{
    /// <param name="saveCalls">
    /// How often Quantum was asked to save, in a run without faults; null if faults may be the reason for asking again.
    /// </param>
    public static Findings Check(IReadOnlyList<ClientHistory> clients, IReadOnlyList<SavedRow> rows, int? saveCalls = null)
    {
        var numbering = new Numbering();
        var views = clients.Select(client => new ClientView(client, numbering)).ToList();
        foreach (var view in views)
        {
            view.Walk();
        }

        foreach (var view in views)
        {
            view.FindLost();
        }

        var found = views.SelectMany(view => view.Found).Concat(numbering.Found).Concat(CheckRows(clients, rows, numbering)).ToList();
        if (saveCalls > rows.Count)
        {
            found.Add(new(Breach.SavedAgain, $"{saveCalls} calls made {rows.Count} rows"));
        }

        return new(found, numbering.Acked, views.Sum(view => view.Handed));
    }

    /// <summary>What a client writes, so that it can be known again.</summary>
    public static string BodyOf(string identifier) => $"This is {identifier}.";

    private static IEnumerable<Finding> CheckRows(IReadOnlyList<ClientHistory> clients, IReadOnlyList<SavedRow> rows, Numbering numbering)
    {
        var personas = clients.ToDictionary(client => client.Who.User, client => client.Who);
        foreach (var row in rows)
        {
            if (!personas.TryGetValue(row.User, out var who) || who.Company != row.Company || !who.Rooms.Contains(row.Room))
            {
                yield return new(Breach.Foreign, $"{row} was saved under a name that can't have sent it");
            }

            if (row.Body != BodyOf(row.Identifier))
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

/// <summary>A room as the world knows it.</summary>
internal readonly record struct Place(long Company, long Room);
