using System.Runtime.InteropServices;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis.Subscriptions;

namespace ChatServer.Embedded;

/// <summary>The backplane of the embedded default: one process, nothing survives a restart. One lock makes each step atomic.</summary>
internal sealed class MemoryBackplane : IBackplane
{
    private readonly Lock _gate = new();
    private readonly Dictionary<RoomKey, RoomMemory> _rooms = [];
    private readonly Dictionary<(RoomKey Room, long User, string Identifier), Acceptance> _known = [];
    private readonly Queue<(long At, (RoomKey Room, long User, string Identifier) Name)> _knownByAge = new();
    private readonly Dictionary<long, List<Action<ReadOnlyMemory<byte>>>> _users = [];

    private readonly MemoryOutbox _outbox;
    private readonly LogLimits _limits;
    private readonly TimeProvider _time;

    public MemoryBackplane(MemoryOutbox outbox, LogLimits limits, TimeProvider time)
    {
        (_outbox, _limits, _time) = (outbox, limits, time);
        outbox.Tell = NotifyUser;
    }

    public void Accept(MessageDraft draft, IAcceptListener listener) => listener.OnAccepted(draft, Accept(draft));

    public ValueTask<Acceptance?> FindAsync(RoomKey room, long userId, string identifier)
    {
        lock (_gate)
        {
            ForgetOldIdentifiers();
            return new(_known.TryGetValue((room, userId, identifier), out var first) ? first with { IsRepeat = true } : null);
        }
    }

    public ValueTask<IAsyncDisposable> SubscribeAsync(RoomKey room, IRoomListener listener)
    {
        lock (_gate)
        {
            RoomOf(room).Listeners.Add(listener);
            return new(Locked(() => RoomOf(room).Listeners.Remove(listener)));
        }
    }

    public ValueTask<IAsyncDisposable> SubscribeToUserAsync(long userId, Action<ReadOnlyMemory<byte>> listener)
    {
        lock (_gate)
        {
            (CollectionsMarshal.GetValueRefOrAddDefault(_users, userId, out _) ??= []).Add(listener);
            return new(Locked(() =>
            {
                _users[userId].Remove(listener);
                if (_users[userId].Count == 0)
                {
                    _users.Remove(userId);
                }
            }));
        }
    }

    /// <summary>Nobody outside of this process can publish.</summary>
    public ValueTask<IAsyncDisposable> SubscribeToControlAsync(Action<ReadOnlyMemory<byte>> listener) =>
        new(Subscription.None);

    /// <summary>Nothing is ever interrupted.</summary>
    public void WhenRestored(Action restored)
    {
    }

    public ValueTask<LogPage> ReadAsync(RoomKey room, long after, int count, string? seenIn = null)
    {
        lock (_gate)
        {
            var memory = RoomOf(room);
            return new(new LogPage(memory.Epoch, memory.Seq, [.. memory.Log.SkipWhile(message => message.Seq <= after).Take(count)]));
        }
    }

    public ValueTask NotifyRoomAsync(RoomKey room, RoomNotice notice)
    {
        lock (_gate)
        {
            foreach (var listener in RoomOf(room).Listeners)
            {
                listener.OnNotice(notice);
            }
        }

        return ValueTask.CompletedTask;
    }

    /// <summary>Sends JSON frames to all connections of a user.</summary>
    public void NotifyUser(long userId, ReadOnlyMemory<byte> json)
    {
        lock (_gate)
        {
            foreach (var listener in _users.GetValueOrDefault(userId, []))
            {
                listener(json);
            }
        }
    }

    private Acceptance Accept(MessageDraft draft)
    {
        lock (_gate)
        {
            ForgetOldIdentifiers();
            var name = (draft.Room, draft.UserId, draft.Identifier);
            if (_known.TryGetValue(name, out var first))
            {
                return first with { IsRepeat = true };
            }

            var room = RoomOf(draft.Room);
            var acceptance = new Acceptance(++room.Seq, room.Epoch, draft.Timestamp, false);
            var message = new RelayedMessage(room.Seq, room.Epoch, draft.Origin, draft.Json.Number(room.Seq));
            room.Log.Enqueue(message);
            if (room.Log.Count > _limits.Messages)
            {
                room.Log.Dequeue();
            }

            _known[name] = acceptance;
            _knownByAge.Enqueue((_time.GetTimestamp(), name));
            _outbox.Add(draft.Room, room.Seq, message.Json);
            foreach (var listener in room.Listeners)
            {
                listener.OnMessage(message);
            }

            return acceptance;
        }
    }

    private RoomMemory RoomOf(RoomKey room) => CollectionsMarshal.GetValueRefOrAddDefault(_rooms, room, out _) ??= new();

    private void ForgetOldIdentifiers()
    {
        while (_knownByAge.TryPeek(out var oldest) && _time.GetElapsedTime(oldest.At) > _limits.IdentifierAge)
        {
            _known.Remove(_knownByAge.Dequeue().Name);
        }
    }

    private Subscription Locked(Action end) => new(() =>
    {
        lock (_gate)
        {
            end();
        }
    });

    private sealed class RoomMemory
    {
        public long Seq { get; set; }

        public string Epoch { get; } = Backplane.Epoch.New();

        public Queue<RelayedMessage> Log { get; } = new();

        public List<IRoomListener> Listeners { get; } = [];
    }
}
