using ChatServer.Backplane;
using ChatServer.Embedded;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Tests.Outbox;

namespace ChatServer.Tests.Embedded;

public sealed class MemoryOutboxTests : OutboxContract
{
    private readonly MemoryOutbox _outbox = new(TimeProvider.System);

    public MemoryOutboxTests() => Backplane = new MemoryBackplane(_outbox, RoomOptions.Log, TimeProvider.System);

    private protected override IBackplane Backplane { get; }

    private protected override IOutbox Outbox => _outbox;

    private protected override int LaneOf(RoomKey room) => 0;
}
