using System.Text;
using ChatServer.Redis;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using ChatServer.Users;

namespace ChatServer.Tests.Users;

public sealed class UserChannelsTests : IAsyncDisposable
{
    private const int Limit = 20_000;

    private readonly ServiceParts _parts = new();
    private readonly List<string> _subscriptions = [];

    public UserChannelsTests() => _parts.Backplane.BeforeSubscribe = what =>
    {
        _subscriptions.Add(what);
        return Task.CompletedTask;
    };

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Notice_ReachesEveryConnectionOfTheUserAndOfNoOther()
    {
        var (one, tab) = (await RequestPeer.LoginAsync(_parts, 7), await RequestPeer.LoginAsync(_parts, 7));
        var other = await RequestPeer.LoginAsync(_parts, 77);

        Tell(7, """{"type":"news","n":1}""");

        (await one.NextAsync("news")).Number("n").Should().Be(1);
        (await tab.NextAsync("news")).Number("n").Should().Be(1);
        other.Waiting.Should().BeEmpty();
        _subscriptions.Should().Equal(["user", "user"], "one user's connections share a subscription");
    }

    [Fact(Timeout = Limit)]
    public async Task Notice_OfABareChat_IsWrapped()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);

        Tell(7, """{"type":"chat","body":"from elsewhere"}""");

        (await peer.NextAsync("chat")).Messages().Should().ContainSingle().Which.Text("body").Should().Be("from elsewhere");
    }

    [Fact(Timeout = Limit)]
    public async Task Notice_ThatIsNoFrame_IsDroppedWithALineInTheLog()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);

        Tell(7, """{"title":"no type"}""");
        Tell(7, """{"type":"end"}""");

        await peer.NextAsync("end");
        _parts.Log.All.Where(line => line.StartsWith("Warning", StringComparison.Ordinal)).Should().ContainSingle()
            .Which.Should().Contain("user_7").And.Contain(" 19 bytes").And.NotContain("title", "what users are told goes into no log");
    }

    [Fact(Timeout = Limit)]
    public async Task Notice_BeforeTheWelcome_IsNotOwedYet()
    {
        var peer = new RequestPeer(_parts);
        peer.Connection.Authenticated(new(7, 3, "rest", [], new("s", 3, 7), null));
        _parts.Connections.TryAddToUser(peer.Connection);
        await _parts.Get<UserChannels>().EnterAsync(7);

        Tell(7, """{"type":"early"}""");
        peer.Connection.HoldWelcome("""{"type":"auth"}"""u8);
        peer.Connection.SendWelcome();
        Tell(7, """{"type":"later"}""");

        await peer.NextAsync("auth");
        await peer.NextAsync("later");
    }

    [Fact(Timeout = Limit)]
    public async Task Leave_TheLastOne_EndsTheSubscription()
    {
        var channels = _parts.Get<UserChannels>();
        var peer = await RequestPeer.LoginAsync(_parts, 7);
        await channels.EnterAsync(7);

        channels.Leave(7);
        Tell(7, """{"type":"still"}""");
        await peer.NextAsync("still");
        channels.Leave(7);
        Tell(7, """{"type":"gone"}""");

        peer.Waiting.Should().BeEmpty();
        await channels.EnterAsync(7);
        Tell(7, """{"type":"again"}""");
        await peer.NextAsync("again");
    }

    [Fact(Timeout = Limit)]
    public async Task Enter_RedisIsOutOfReach_IsToldAndLeavesNothingBehind()
    {
        var channels = _parts.Get<UserChannels>();
        _parts.Backplane.BeforeSubscribe = _ => throw new RedisUnavailableException("away");
        await FluentActions.Awaiting(() => channels.EnterAsync(7).AsTask()).Should().ThrowAsync<RedisUnavailableException>();
        _parts.Backplane.BeforeSubscribe = _ => Task.CompletedTask;

        var peer = await RequestPeer.LoginAsync(_parts, 7);
        Tell(7, """{"type":"once"}""");
        Tell(7, """{"type":"end"}""");

        await peer.NextAsync("once");
        await peer.NextAsync("end");
    }

    private void Tell(long user, string json) => _parts.Backplane.NotifyUser(user, Encoding.UTF8.GetBytes(json));
}
