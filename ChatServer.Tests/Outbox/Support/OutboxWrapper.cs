using ChatServer.Outbox;
using ChatServer.Protocol;

namespace ChatServer.Tests.Outbox.Support;

/// <summary>An outbox of which a test changes a part.</summary>
internal abstract class OutboxWrapper(IOutbox outbox) : IOutbox
{
    public int Partitions => outbox.Partitions;

    public virtual ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int partition, long since) => outbox.UnsavedAsync(partition, since);

    public virtual ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn) => outbox.SettleAsync(room, done, readOn);

    public IAsyncEnumerable<FileId> WaitingFilesAsync(int partition) => outbox.WaitingFilesAsync(partition);

    public ValueTask TakeOverFormerAsync(int partition) => outbox.TakeOverFormerAsync(partition);

    public ValueTask<bool> TryLeaseAsync(int partition) => outbox.TryLeaseAsync(partition);

    public ValueTask ReleaseAsync(int partition) => outbox.ReleaseAsync(partition);

    public ValueTask<IReadOnlyList<int>> FreeAsync() => outbox.FreeAsync();

    public ValueTask<int> CountNodesAsync() => outbox.CountNodesAsync();

    public ValueTask SignOffAsync() => outbox.SignOffAsync();

    public ValueTask<OutboxSize> SizeAsync() => outbox.SizeAsync();

    public ValueTask<IAsyncDisposable> ListenAsync(Action<int> filled) => outbox.ListenAsync(filled);
}
