using ChatServer.Backplane;
using ChatServer.Embedded;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;
using ChatServer.Rooms;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>
/// The real backplane in memory, whose publications a test may lose on the way or hold up, and which it may find out of reach. Quantum's
/// orders come from the test.
/// </summary>
internal sealed class BackplaneOverMemory(MemoryOutbox outbox) : IBackplane
{
    private readonly MemoryBackplane _backplane = new(outbox, RoomOptions.Log, TimeProvider.System);

    private Action? _restored;
    private Action<ReadOnlyMemory<byte>>? _control;

    public BackplaneOverMemory()
        : this(new MemoryOutbox(TimeProvider.System))
    {
    }

    /// <summary>Whether a message that was published gets lost.</summary>
    public Func<RelayedMessage, bool> Loses { get; set; } = _ => false;

    /// <summary>Runs before each reading of the log.</summary>
    public Func<long, int, Task> BeforeRead { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>Runs before each accept step; where it throws, the message is not accepted.</summary>
    public Func<MessageDraft, Task> BeforeAccept { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each look for a known identifier.</summary>
    public Func<Task> BeforeFind { get; set; } = () => Task.CompletedTask;

    /// <summary>Runs before each subscription, with the name of what is to be heard: <c>room</c>, <c>user</c> or <c>control</c>.</summary>
    public Func<string, Task> BeforeSubscribe { get; set; } = _ => Task.CompletedTask;

    /// <summary>Runs before each notice.</summary>
    public Func<Task> BeforeNotice { get; set; } = () => Task.CompletedTask;

    /// <summary>How many hear what Quantum orders.</summary>
    public int ControlListeners => _control?.GetInvocationList().Length ?? 0;

    public void Accept(MessageDraft draft, IAcceptListener listener) => _ = AcceptAsync(draft, listener);

    public async ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier)
    {
        await BeforeFind();
        return await _backplane.FindAsync(room, userId, identifier);
    }

    public async ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener)
    {
        await BeforeSubscribe("room");
        return await _backplane.SubscribeAsync(room, new Lossy(this, listener));
    }

    public async ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener)
    {
        await BeforeSubscribe("user");
        return await _backplane.SubscribeToUserAsync(userId, listener);
    }

    public async ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener)
    {
        await BeforeSubscribe("control");
        _control += listener;
        return new Subscription(() => _control -= listener);
    }

    /// <summary>Quantum publishes an order.</summary>
    public void Order(ReadOnlyMemory<byte> json) => _control?.Invoke(json);

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

    public void NotifyUser(long userId, ReadOnlyMemory<byte> json) => _backplane.NotifyUser(userId, json);

    private async Task AcceptAsync(MessageDraft draft, IAcceptListener listener)
    {
        try
        {
            await BeforeAccept(draft);
        }
        catch (RedisUnavailableException exception)
        {
            listener.OnUnavailable(draft, exception);
            return;
        }

        _backplane.Accept(draft, listener);
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
