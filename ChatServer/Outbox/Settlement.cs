namespace ChatServer.Outbox;

/// <summary>What has come to its end at the beginning of a room's unsaved messages.</summary>
/// <param name="Epoch">The numbering in which they were read: what they are is known by it.</param>
internal sealed record Settlement(string Epoch)
{
    private readonly List<string> _aside = [];
    private readonly List<DeadLetterDraft> _dead = [];

    /// <summary>Up to here Quantum has the log, or will never have it; 0 if it is not about the log.</summary>
    public long UpTo { get; private set; }

    /// <summary>Entries that were set aside and are no longer to be saved.</summary>
    public IReadOnlyList<string> Aside => _aside;

    /// <summary>Which of them become dead letters.</summary>
    public IReadOnlyList<DeadLetterDraft> Dead => _dead;

    public bool IsEmpty => UpTo == 0 && _aside.Count == 0;

    /// <param name="refusal">Why Quantum will never have it; null if it has it.</param>
    public void Add(PendingSave pending, string? refusal)
    {
        if (pending.IsAside)
        {
            _aside.Add(pending.Place);
        }
        else
        {
            UpTo = pending.Seq;
        }

        if (refusal is not null)
        {
            _dead.Add(new(pending.Place, pending.Json, refusal));
        }
    }
}

/// <summary>A message that becomes a dead letter.</summary>
internal sealed record DeadLetterDraft(string Place, ReadOnlyMemory<byte> Json, string Reason);
