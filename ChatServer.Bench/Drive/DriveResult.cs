namespace ChatServer.Bench.Drive;

/// <summary>
/// What came of a run. Counts of deliveries go over the whole run, warm-up included; times, CPU and <see cref="DeliveriesInWindow"/> are
/// those of the measured window.
/// </summary>
internal sealed record DriveResult
{
    public long Sent { get; init; }

    /// <summary>
    /// Deliveries that are due: each message once to every other member of its room, and to its sender if the server echoes.
    /// </summary>
    public long Expected { get; init; }

    public long Lost { get; init; }

    public long Doubled { get; init; }

    public long Disordered { get; init; }

    public long Misrouted { get; init; }

    /// <summary>Messages without an ack, if the server promises one.</summary>
    public long Unacknowledged { get; init; }

    /// <summary>Messages of which the sender has not heard that they are saved, if it waits for that.</summary>
    public long Unsaved { get; init; }

    /// <summary>Error frames, broken frames, and connections that the server ended.</summary>
    public long Failures { get; init; }

    /// <summary>What the first failure was.</summary>
    public string? FirstFailure { get; init; }

    /// <summary>How often a sender's window stood still for two seconds.</summary>
    public long Stalls { get; init; }

    public double WindowSeconds { get; init; }

    public long DeliveriesInWindow { get; init; }

    public long SentInWindow { get; init; }

    public double ServerCpuSeconds { get; init; }

    public double RedisCpuSeconds { get; init; }

    public double GeneratorCpuSeconds { get; init; }

    /// <summary>Milliseconds from the moment when a message was due (open loop) or made (closed loop) until a member had it.</summary>
    public double P50 { get; init; }

    public double P99 { get; init; }

    public double P999 { get; init; }

    /// <summary>Milliseconds until the sender heard that the message is saved, reckoned as those above.</summary>
    public double SavedP50 { get; init; }

    public double SavedP99 { get; init; }

    /// <summary>Milliseconds by which the generator itself was late to send what was due. They are part of the times above.</summary>
    public double LagP99 { get; init; }

    /// <summary>From the first connect until the last connection was in its room.</summary>
    public double LoginSeconds { get; init; }

    /// <summary>Resident bytes of the server before the first connection and after the last one (idle: after the hold).</summary>
    public long RssBefore { get; init; }

    public long RssAfter { get; init; }

    /// <summary>
    /// Whether every message came once, in order, where it belongs, and nothing failed. Otherwise no figure of the run may be shown.
    /// </summary>
    public bool IsSound => (Lost | Doubled | Disordered | Misrouted | Unacknowledged | Unsaved | Failures) == 0;

    public double DeliveriesPerSecond => DeliveriesInWindow / WindowSeconds;

    /// <summary>The generator's share of its core: near 1 it, and not the server, may be what limits the figures.</summary>
    public double GeneratorBusy => GeneratorCpuSeconds / WindowSeconds;
}
