using ChatServer.Persist;
using ChatServer.Protocol;
using ChatServer.Relay;

namespace ChatServer.Tests.Persist;

public sealed class MemoryOutboxTests : OutboxContract
{
    private readonly MemoryOutbox _outbox = new();

    public MemoryOutboxTests() => Relay = new MemoryRelay(_outbox, TimeProvider.System);

    private protected override IRelay Relay { get; }

    private protected override IOutbox Outbox => _outbox;

    private protected override int PartitionOf(RoomKey room) => 0;
}
