using System.Globalization;

namespace ChatServer.Backplane;

/// <summary>An epoch that has ended, because another Redis process holds the data since, or because Redis had lost part of it.</summary>
/// <param name="Seq">The last seq of it that Redis still had then: whoever has seen no more than that has lost nothing.</param>
internal readonly record struct EpochEnd(string Epoch, long Seq)
{
    /// <summary>Reads what the scripts keep: <c>epoch:seq</c>, separated by spaces.</summary>
    public static IReadOnlyList<EpochEnd> ReadAll(string text) =>
    [
        .. text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Select(each => each.Split(':'))
            .Select(parts => new EpochEnd(parts[0], long.Parse(parts[1], CultureInfo.InvariantCulture))),
    ];
}
