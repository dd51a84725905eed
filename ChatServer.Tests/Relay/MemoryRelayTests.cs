using ChatServer.Persist;
using ChatServer.Relay;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Relay;

public sealed class MemoryRelayTests : RelayContract
{
    private readonly FakeTimeProvider _time = new();

    public MemoryRelayTests() => Relay = new MemoryRelay(new MemoryOutbox(), _time);

    private protected override IRelay Relay { get; }

    [Fact(Timeout = Limit)]
    public async Task Accept_IdentifierOlderThanTenMinutes_IsNewAgain()
    {
        var room = Drafts.NewRoom();
        await Relay.AcceptAsync(Drafts.Of(room, 7, "a1"));
        _time.Advance(TimeSpan.FromMinutes(9));
        (await Relay.AcceptAsync(Drafts.Of(room, 7, "a1"))).IsRepeat.Should().BeTrue();

        _time.Advance(TimeSpan.FromMinutes(2));

        (await Relay.AcceptAsync(Drafts.Of(room, 7, "a1"))).Should().Match<Acceptance>(answer => answer.Seq == 2 && !answer.IsRepeat);
    }
}
