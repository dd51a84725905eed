using ChatServer.Protocol;

namespace ChatServer.Outbox;

/// <summary>A message that Quantum does not have yet.</summary>
/// <param name="Place">Names it within its room: its seq in the log, or an entry's id if it was set aside.</param>
/// <param name="Seq">Its seq in the log; 0 if it was set aside.</param>
/// <param name="Json">Its JSON as members got it.</param>
/// <param name="Message">What that says; null if it can't be read: no ChatServer wrote it.</param>
internal sealed record PendingSave(string Place, long Seq, ReadOnlyMemory<byte> Json, StoredMessage? Message)
{
    /// <summary>Whether it is to be saved before what the log holds, because an operator retries it.</summary>
    public bool IsAside => Seq == 0;

    /// <summary>What it takes in memory: its JSON, and its fields.</summary>
    public int Size => 2 * Json.Length;
}
