namespace ChatServer.Outbox;

/// <summary>Pauses that double, with jitter, so that those who failed together don't come back together.</summary>
internal static class BackOff
{
    /// <param name="failures">How many there have been before.</param>
    /// <returns>Between half and one and a half of what is due.</returns>
    public static TimeSpan After(int failures, TimeSpan first, TimeSpan most)
    {
        const int enough = 30;
        var due = first * Math.Pow(2, Math.Min(failures, enough));
        return Jitter(due < most ? due : most);
    }

    public static TimeSpan Jitter(TimeSpan pause) => pause * (0.5 + Random.Shared.NextDouble());
}
