using ChatServer.Protocol;

namespace ChatServer.Outbox;

/// <summary>
/// What one room has in its partition's outbox: the next messages in hand, as far as memory allows, and where the rest begins. Under the
/// lock of its <see cref="RoomTable"/>.
/// </summary>
internal sealed class RoomBacklog(RoomKey key)
{
    private readonly Queue<PendingSave> _hand = new();

    public RoomKey Key => key;

    /// <summary>Up to here all its entries are in hand or done.</summary>
    public EntryId After { get; private set; }

    /// <summary>Whether there may be entries behind <see cref="After"/> that are not in hand.</summary>
    public bool HasMore { get; private set; }

    /// <summary>Who wrote its next message, as far as is known.</summary>
    public long NextSender { get; private set; }

    /// <summary>While it waits after a failure it has nothing in hand.</summary>
    public bool IsParked { get; set; }

    /// <summary>The reading that must not hand it anything, for it has already passed over entries of the room.</summary>
    public long PassedBy { get; set; }

    public bool IsFull => _hand.Count >= OutboxOptions.MaxInHandOfRoom;

    public PendingSave? Next => _hand.TryPeek(out var next) ? next : null;

    /// <summary>Takes the entry that follows on <see cref="After"/> in hand.</summary>
    public void Take(PendingSave pending, EntryId id)
    {
        _hand.Enqueue(pending);
        After = id;
        NextSender = _hand.Peek().Message.FromUserId;
    }

    /// <summary>Its next entry that is not in hand is this one.</summary>
    public void Leave(PendingSave pending, EntryId id)
    {
        (After, HasMore) = (id.Before, true);
        if (_hand.Count == 0)
        {
            NextSender = pending.Message.FromUserId;
        }
    }

    /// <summary>There is nothing behind what is in hand.</summary>
    public void HasAll() => HasMore = false;

    /// <returns>The bytes that are no longer in hand.</returns>
    public int Done()
    {
        var size = _hand.Dequeue().Size;
        NextSender = _hand.TryPeek(out var next) ? next.Message.FromUserId : NextSender;
        return size;
    }

    /// <summary>Forgets what is in hand; it will be read again.</summary>
    /// <returns>The bytes that are no longer in hand.</returns>
    public int LetGo()
    {
        if (!_hand.TryPeek(out var first))
        {
            return 0;
        }

        Leave(first, EntryId.Parse(first.Entry.Id));
        var size = _hand.Sum(pending => pending.Size);
        _hand.Clear();
        return size;
    }
}
