namespace ChatServer.Outbox;

/// <summary>What has come to its end at the beginning of a room's unsaved messages.</summary>
/// <param name="Epoch">The numbering in which they were read: what they are is known by it.</param>
internal sealed record Settlement(string Epoch)
{
    private readonly List<string> _aside = [];
    private readonly List<DeadLetterDraft> _dead = [];
    private readonly List<SenderNotice> _told = [];

    /// <summary>Up to here Quantum has the log, or will never have it; 0 if it is not about the log.</summary>
    public long UpTo { get; private set; }

    /// <summary>Entries that were set aside and are no longer to be saved.</summary>
    public IReadOnlyList<string> Aside => _aside;

    /// <summary>Which of them become dead letters.</summary>
    public IReadOnlyList<DeadLetterDraft> Dead => _dead;

    /// <summary>Who hears of it: for each sender one frame, or an array of frames.</summary>
    public IReadOnlyList<SenderNotice> Told =>
    [
        .. _told.GroupBy(word => word.UserId, word => word.Json).Select(own => new SenderNotice(own.Key, Join([.. own]))),
    ];

    public bool IsEmpty => UpTo == 0 && _aside.Count == 0;

    /// <param name="refusal">Why Quantum will never have it; null if it has it.</param>
    /// <param name="told">What its sender is told, if it is known who that is.</param>
    public void Add(PendingSave pending, string? refusal, ReadOnlyMemory<byte> told = default)
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

        if (!told.IsEmpty)
        {
            _told.Add(new(pending.Message!.FromUserId, told));
        }
    }

    private static ReadOnlyMemory<byte> Join(IReadOnlyList<ReadOnlyMemory<byte>> frames)
    {
        if (frames.Count == 1)
        {
            return frames[0];
        }

        var joined = new byte[frames.Sum(frame => frame.Length) + frames.Count + 1];
        var at = 0;
        foreach (var frame in frames)
        {
            joined[at++] = (byte)(at == 1 ? '[' : ',');
            frame.CopyTo(joined.AsMemory(at));
            at += frame.Length;
        }

        joined[at] = (byte)']';
        return joined;
    }
}

/// <summary>A message that becomes a dead letter.</summary>
internal sealed record DeadLetterDraft(string Place, ReadOnlyMemory<byte> Json, string Reason);

/// <summary>A frame, or an array of frames, for all connections of a sender.</summary>
internal sealed record SenderNotice(long UserId, ReadOnlyMemory<byte> Json);
