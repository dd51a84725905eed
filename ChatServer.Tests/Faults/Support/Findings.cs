using System.Globalization;
using System.Text;

namespace ChatServer.Tests.Faults.Support;

/// <summary>How a promise may be broken.</summary>
internal enum Breach
{
    /// <summary>A member never got an acked message.</summary>
    Lost,

    /// <summary>A member got a message again that it could not expect again.</summary>
    Doubled,

    /// <summary>A message did not follow on the one before it.</summary>
    Disordered,

    /// <summary>Something from another room or company.</summary>
    Foreign,

    /// <summary>An identifier has two seqs, or a seq two identifiers.</summary>
    Renumbered,

    /// <summary>The server could not bring a client up to date that named its position, or began a new numbering.</summary>
    Unrecovered,

    /// <summary>The server closed with a code that forbids to come back, though the session holds.</summary>
    TurnedAway,

    /// <summary>A body is not what was sent.</summary>
    Altered,

    /// <summary>Quantum does not have an acked message, or has it twice.</summary>
    Missaved,

    /// <summary>Quantum got a room's messages in another order.</summary>
    MissavedOrder,

    /// <summary>Quantum was asked again for what it had saved, though nothing had failed.</summary>
    SavedAgain,

    /// <summary>Quantum got a message late, though nothing was in its way that concerns its company.</summary>
    SavedLate,

    /// <summary>Somebody who was put out of a room, or who Quantum says is no member, got a message of it.</summary>
    Overheard,

    /// <summary>Somebody who reads was closed as slow.</summary>
    CalledSlow,
}

/// <param name="Who">Whose history shows it; null if it is Quantum's.</param>
/// <param name="Index">Where in that history.</param>
internal sealed record Finding(Breach Breach, string What, ClientHistory? Who = null, int Index = 0);

/// <summary>What the checker has to say about a run.</summary>
internal sealed record Findings(IReadOnlyList<Finding> All, int Acked, int Handed)
{
    /// <summary>Messages of which it is known that nothing was in the way of their being saved.</summary>
    public int Unhindered { get; init; }

    /// <summary>From an ack to Quantum, the longest among them.</summary>
    public TimeSpan Slowest { get; init; }

    /// <summary>How often somebody was put out of a room.</summary>
    public int PutOut { get; init; }

    /// <summary>How often somebody who did not read was closed as slow.</summary>
    public int Slow { get; init; }

    public bool IsClean => All.Count == 0;

    public int Count(Breach breach) => All.Count(finding => finding.Breach == breach);

    /// <summary>One line.</summary>
    public override string ToString() =>
        string.Create(CultureInfo.InvariantCulture,
            $"acked {Acked}, handed out {Handed}, put out {PutOut}, slow {Slow}, unhindered {Unhindered} (slowest {Slowest.TotalSeconds:F1} s), ")
        + string.Join(", ", Enum.GetValues<Breach>().Select(breach => $"{breach.ToString().ToLowerInvariant()} {Count(breach)}"));

    /// <summary>The first breaches, and the history around the very first.</summary>
    public string Describe()
    {
        const int before = 25, after = 12, most = 15;
        var text = new StringBuilder().AppendLine(ToString());
        foreach (var finding in All.Take(most))
        {
            text.AppendLine(
                CultureInfo.InvariantCulture, $"  {finding.Breach}: {finding.Who?.Who.ToString() ?? "Quantum"}: {finding.What}");
        }

        if (First is { Who: { } who } first)
        {
            text.AppendLine(CultureInfo.InvariantCulture, $"The history of {who.Who} around the first:");
            for (var index = Math.Max(0, first.Index - before); index < Math.Min(who.Events.Count, first.Index + after); index++)
            {
                text.AppendLine(CultureInfo.InvariantCulture,
                    $"  {(index == first.Index ? '>' : ' ')} {who.Events[index].At:HH:mm:ss.fff} {who.Events[index]}");
            }
        }

        return text.ToString();
    }

    /// <summary>The breach that has a place in time and came first.</summary>
    public Finding? First => All.Where(finding => finding.Who is { } who && finding.Index < who.Events.Count)
        .MinBy(finding => finding.Who!.Events[finding.Index].At);
}
