using ChatServer.Backplane;

namespace ChatServer.Rooms;

/// <summary>
/// Puts a room's messages into the order of their seqs: each is delivered once, the next one after the last; what lies beyond a gap waits
/// until the log has filled it. The room's lock guards it.
/// </summary>
/// <param name="deliver">Takes the next message.</param>
internal sealed class RoomSequence(Action<RelayedMessage> deliver)
{
    /// <summary>Messages beyond a gap, by seq.</summary>
    private readonly SortedList<long, RelayedMessage> _ahead = [];
    private long _strays;
    private long _resolvedStrays;
    private bool _isTracked;

    /// <summary>The seq up to which everything has been delivered; -1 before <see cref="Start"/>.</summary>
    public long Seq { get; private set; } = -1;

    public string Epoch { get; private set; } = "";

    public bool IsStarted => Seq >= 0;

    /// <summary>Whether there is something that only the log can resolve: a gap, or a message of another epoch.</summary>
    public bool HasLostTrack => _strays > _resolvedStrays || _ahead.Count > 0;

    /// <summary>Where it stands now: take it before the log is asked, and merge what the log answers with it.</summary>
    public RoomMark Mark => new(new(Epoch, Math.Max(0, Seq)), _strays);

    /// <summary>
    /// Whether the caller has to catch up from the log now; true once, until <see cref="TryEndTracking"/>.
    /// </summary>
    public bool TryBeginTracking()
    {
        if (!IsStarted || !HasLostTrack || _isTracked)
        {
            return false;
        }

        return _isTracked = true;
    }

    /// <summary>The log has been read as far as it helps.</summary>
    /// <param name="giveUp">End it in any case.</param>
    /// <returns>False if it has lost track again since, or still: start over.</returns>
    public bool TryEndTracking(bool giveUp = false) => !(_isTracked = HasLostTrack && !giveUp);

    /// <summary>Something may be missing that no gap shows.</summary>
    public void LoseTrack() => _strays++;

    /// <summary>What has come and is not delivered yet.</summary>
    public IEnumerable<RelayedMessage> Waiting => _ahead.Values;

    /// <summary>Begins to deliver, after <paramref name="head"/>; what has come before waits already.</summary>
    public void Start(long head, string epoch)
    {
        GoTo(head, epoch);
        foreach (var (seq, message) in _ahead.ToArray())
        {
            if (message.Epoch != epoch)
            {
                _ahead.Remove(seq);
                LoseTrack();
            }
        }

        Advance();
    }

    public void Add(RelayedMessage message)
    {
        if (IsStarted && message.Epoch != Epoch)
        {
            // Only the log knows which of two epochs is the newer one; it has the message too.
            LoseTrack();
        }
        else if (IsStarted && message.Seq == Seq + 1 && _ahead.Count == 0)
        {
            Seq = message.Seq;
            deliver(message);
        }
        else if (message.Seq > Seq)
        {
            _ahead[message.Seq] = message;
            Advance();
        }
    }

    /// <summary>
    /// The last seq that a page of the log, read after <see cref="Seq"/>, lacks because it is no longer held; null if it lacks none.
    /// </summary>
    public long? EndOfHole(LogPage page)
    {
        var end = page.Messages.Count > 0 ? page.Messages[0].Seq - 1 : page.Head;
        return end > Seq ? end : null;
    }

    /// <summary>Continues after <paramref name="seq"/>: nobody gets what lies before it.</summary>
    public void Jump(string epoch, long seq)
    {
        if (epoch != Epoch)
        {
            _ahead.Clear();
        }

        GoTo(seq, epoch);
    }

    /// <summary>
    /// Merges a page of the log with what has come. It resolves what was known when it was asked for: what has strayed since then may have
    /// been written behind it.
    /// </summary>
    public void Merge(LogPage page, RoomMark asked)
    {
        _resolvedStrays = Math.Max(_resolvedStrays, asked.Strays);
        foreach (var message in page.Messages)
        {
            if (message.Seq > Seq)
            {
                _ahead[message.Seq] = message;
            }
        }

        Advance();
    }

    private void GoTo(long seq, string epoch)
    {
        (Seq, Epoch) = (seq, epoch);
        while (_ahead.Count > 0 && _ahead.Keys[0] <= seq)
        {
            _ahead.RemoveAt(0);
        }
    }

    private void Advance()
    {
        while (IsStarted && _ahead.Count > 0 && _ahead.Keys[0] == Seq + 1)
        {
            var message = _ahead.Values[0];
            _ahead.RemoveAt(0);
            Seq = message.Seq;
            deliver(message);
        }
    }
}
