using ChatServer.Protocol;

namespace ChatServer.Outbox;

/// <summary>An entry, and the message that it holds.</summary>
internal sealed record PendingSave(OutboxEntry Entry, StoredMessage Message)
{
    /// <summary>The bytes of its message.</summary>
    public int Size => Entry.Message.Length;
}
