using ChatServer.Outbox;
using ChatServer.Protocol;

namespace ChatServer.Tests.Outbox.Support;

/// <summary>An outbox of which a test changes a part.</summary>
internal abstract class OutboxWrapper(IOutbox outbox) : IOutbox
{
    public int Lanes => outbox.Lanes;

    public virtual ValueTask<IReadOnlyList<UnsavedRoom>> UnsavedAsync(int lane) => outbox.UnsavedAsync(lane);

    public virtual ValueTask<RoomPage> SettleAsync(RoomKey room, Settlement done, bool readOn) => outbox.SettleAsync(room, done, readOn);

    public IAsyncEnumerable<FileId> WaitingFilesAsync(int lane) => outbox.WaitingFilesAsync(lane);

    public ValueTask TakeOverFormerAsync(int lane) => outbox.TakeOverFormerAsync(lane);

    public ValueTask<bool> TryLeaseAsync(int lane) => outbox.TryLeaseAsync(lane);

    public ValueTask ReleaseAsync(int lane) => outbox.ReleaseAsync(lane);

    public ValueTask<IReadOnlyList<int>> FreeAsync() => outbox.FreeAsync();

    public ValueTask<int> CountNodesAsync() => outbox.CountNodesAsync();

    public ValueTask SignOffAsync() => outbox.SignOffAsync();

    public virtual ValueTask<OutboxSize> SizeAsync() => outbox.SizeAsync();

    public virtual ValueTask<IAsyncDisposable> ListenAsync(Action<int, RoomKey> filled, Action restored) =>
        outbox.ListenAsync(filled, restored);
}
