using System.Globalization;

namespace ChatServer.Outbox;

/// <summary>The place of an entry in a partition's outbox, as a stream of Redis has it: <c>milliseconds-number</c>.</summary>
internal readonly record struct EntryId(ulong Time, ulong Number) : IComparable<EntryId>
{
    /// <summary>The last place before this one.</summary>
    public EntryId Before =>
        Number > 0 ? this with { Number = Number - 1 } : Time > 0 ? new(Time - 1, ulong.MaxValue) : default;

    /// <exception cref="FormatException">It is none.</exception>
    public static EntryId Parse(string text)
    {
        var dash = text.IndexOf('-', StringComparison.Ordinal);
        return dash < 0
            ? new(ulong.Parse(text, CultureInfo.InvariantCulture), 0)
            : new(
                ulong.Parse(text.AsSpan(0, dash), NumberStyles.None, CultureInfo.InvariantCulture),
                ulong.Parse(text.AsSpan(dash + 1), NumberStyles.None, CultureInfo.InvariantCulture));
    }

    public static bool operator <(EntryId left, EntryId right) => left.CompareTo(right) < 0;

    public static bool operator >(EntryId left, EntryId right) => left.CompareTo(right) > 0;

    public static bool operator <=(EntryId left, EntryId right) => left.CompareTo(right) <= 0;

    public static bool operator >=(EntryId left, EntryId right) => left.CompareTo(right) >= 0;

    public int CompareTo(EntryId other) => Time != other.Time ? Time.CompareTo(other.Time) : Number.CompareTo(other.Number);

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Time}-{Number}");
}
