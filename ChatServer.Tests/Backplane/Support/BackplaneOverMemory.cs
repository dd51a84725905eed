using ChatServer.Backplane;
using ChatServer.Embedded;
using ChatServer.Protocol;
using ChatServer.Rooms;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>
/// The real backplane in memory, whose publications a test may lose on the way or hold up, and whose log it may find out of reach.
/// </summary>
internal sealed class BackplaneOverMemory(MemoryOutbox outbox) : IBackplane
{
    private readonly MemoryBackplane _backplane = new(outbox, RoomOptions.Log, TimeProvider.System);

    private Action? _restored;

    public BackplaneOverMemory()
        : this(new MemoryOutbox())
    {
    }

    /// <summary>Whether a message that was published gets lost.</summary>
    public Func<RelayedMessage, bool> Loses { get; set; } = _ => false;

    /// <summary>Runs before each reading of the log.</summary>
    public Func<long, int, Task> BeforeRead { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs before each notice.</summary>
    public Func<Task> BeforeNotice { get; set; } = () => Task.CompletedTask;

    /// <summary>Runs before a user is told something.</summary>
    public Func<Task> BeforeUserNotice { get; set; } = () => Task.CompletedTask;

    public void Accept(MessageDraft draft, IAcceptListener listener) => _backplane.Accept(draft, listener);

    public ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier) => _backplane.FindAsync(room, userId, identifier);

    public ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener) =>
        _backplane.SubscribeAsync(room, new Lossy(this, listener));

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener) =>
        _backplane.SubscribeToUserAsync(userId, listener);

    public ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener) =>
        _backplane.SubscribeToControlAsync(listener);

    public void WhenRestored(Action restored) => _restored += restored;

    /// <summary>Says that subscriptions are in force again.</summary>
    public void Restore() => _restored?.Invoke();

    public async ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null)
    {
        await BeforeRead(after, count);
        return await _backplane.ReadAsync(room, after, count, seenIn);
    }

    public async ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice)
    {
        await BeforeNotice();
        await _backplane.NotifyRoomAsync(room, notice);
    }

    public async ValueTask NotifyUserAsync(long userId, ReadOnlyMemory<byte> json)
    {
        await BeforeUserNotice();
        await _backplane.NotifyUserAsync(userId, json);
    }

    private sealed class Lossy(BackplaneOverMemory backplane, IRoomListener listener) : IRoomListener
    {
        public bool Lacks(long seq, string epoch) => listener.Lacks(seq, epoch);

        public void OnMessage(RelayedMessage message)
        {
            if (!backplane.Loses(message))
            {
                listener.OnMessage(message);
            }
        }

        public void OnNotice(RoomNotice notice) => listener.OnNotice(notice);
    }
}
