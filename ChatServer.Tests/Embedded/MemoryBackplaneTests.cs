using ChatServer.Backplane;
using ChatServer.Embedded;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Backplane;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Embedded;

public sealed class MemoryBackplaneTests : BackplaneContract
{
    private readonly FakeTimeProvider _time = new();

    public MemoryBackplaneTests() => Backplane = new MemoryBackplane(new MemoryOutbox(TimeProvider.System), RoomOptions.Log, _time);

    private protected override IBackplane Backplane { get; }

    private protected override Task TellUserAsync(long user, byte[] json)
    {
        ((MemoryBackplane)Backplane).NotifyUser(user, json);
        return Task.CompletedTask;
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_IdentifierOlderThanTenMinutes_IsNewAgain()
    {
        var room = Drafts.NewRoom();
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        _time.Advance(TimeSpan.FromMinutes(9));
        (await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"))).IsRepeat.Should().BeTrue();

        _time.Advance(TimeSpan.FromMinutes(2));

        (await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"))).Should().Match<Acceptance>(answer => answer.Seq == 2 && !answer.IsRepeat);
    }
}
