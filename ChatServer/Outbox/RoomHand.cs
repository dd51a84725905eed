namespace ChatServer.Outbox;

/// <summary>What one room has read of its unsaved messages and not saved yet.</summary>
/// <param name="readAhead">Bounds what all rooms have together.</param>
internal sealed class RoomHand(ReadAhead readAhead)
{
    private readonly Queue<PendingSave> _messages = new();
    private long _taken;
    private int _ready;

    /// <summary>The numbering in which they were read.</summary>
    public string Epoch { get; private set; } = "";

    public int Count => _messages.Count;

    /// <summary>The next message; null if none is in hand.</summary>
    public PendingSave? First => _messages.TryPeek(out var first) ? first : null;

    /// <summary>Who wrote the next message, as far as is known.</summary>
    public long NextSender { get; private set; }

    /// <summary>
    /// How many messages are ready to share a call; 0 if the next one must go alone. Also what was read before and is no longer in hand.
    /// </summary>
    public int Ready => _ready;

    /// <summary>Takes a page in hand.</summary>
    /// <param name="isNeeded">It is saved now; otherwise it is taken only if there is space.</param>
    public void Take(RoomPage page, bool isNeeded)
    {
        Epoch = page.Epoch;
        NextSender = page.Messages is [var first, ..] ? SenderOf(first) : NextSender;
        _ready = CountReady(page.Messages);
        var bytes = page.Messages.Sum(message => (long)message.Size);
        if (readAhead.TryTake(bytes))
        {
            _taken += bytes;
        }
        else if (!isNeeded)
        {
            return;
        }

        foreach (var message in page.Messages)
        {
            _messages.Enqueue(message);
        }
    }

    /// <summary>The next messages for one call: as many as are ready; one if it must go alone.</summary>
    public IReadOnlyList<PendingSave> Next(int most) => [.. _messages.Take(Math.Min(most, Math.Max(1, _ready)))];

    /// <summary>The first ones have come to their end.</summary>
    public void Remove(int count)
    {
        for (var left = count; left > 0; left--)
        {
            _messages.Dequeue();
        }

        if (_messages.Count == 0)
        {
            LetGo();
        }
        else
        {
            NextSender = SenderOf(_messages.Peek());
            _ready = _ready > count ? _ready - count : CountReady(_messages);
        }
    }

    /// <summary>Gives up what there is no space for.</summary>
    public void LetGoIfBorrowed()
    {
        if (_taken == 0)
        {
            LetGo();
        }
    }

    /// <summary>Forgets what is in hand; it can be read again.</summary>
    public void LetGo()
    {
        _messages.Clear();
        readAhead.Return(_taken);
        _taken = 0;
    }

    /// <summary>Files go alone, and so does what can't be read.</summary>
    private static int CountReady(IEnumerable<PendingSave> messages) =>
        messages.TakeWhile(pending => pending.Message is { File: null }).Count();

    private static long SenderOf(PendingSave pending) => pending.Message?.FromUserId ?? 0;
}
