using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Requests;

public sealed class AdmissionTests : IAsyncDisposable
{
    private const int Limit = 20_000;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly ServiceParts _parts;

    public AdmissionTests() => _parts = new(_time, ("MAX_CONNECTIONS_PER_USER", "2"), ("MAX_ROOMS_PER_CONNECTION", "3"));

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Admit_AKnownToken_IsWelcomedWithEverythingThatTheContractNames()
    {
        var peer = new RequestPeer(_parts);
        var token = TestSessions.Token(RequestPeer.Store(_parts, 7, "[]", seconds: 90).ToString());

        (await peer.AdmitAsync(token)).Should().BeTrue();

        (await peer.NextAsync("auth")).ToJsonString().Should().Be(
            $$"""{"type":"auth","success":true,"user_id":7,"company_id":3,"connection_id":"{{peer.Connection.IdText}}","""
            + "\"session_expires_in\":90,\"rooms\":[],\"ping_interval\":25}");
        _parts.Connections.OfUser(7).Should().Equal(peer.Connection);
        peer.Connection.Caller!.TokenKey.Should().Be("rest-7");
        peer.Connection.SessionEndsAt.Should().Be(_time.GetUtcNow().AddSeconds(90));
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_RoomsAskedForAndOfTheSession_AreJoinedInThatOrderOnceEach()
    {
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(Auth("[12,15]", """[{"room_id":15},{"room_id":99}]"""))).Should().BeTrue();

        (await peer.NextAsync("auth")).Numbers("rooms").Should().Equal(15, 12);
        var rest = new[] { await NextAsync(peer), await NextAsync(peer), await NextAsync(peer) };
        rest.Should().BeEquivalentTo("joined 15", "forbidden 99", "joined 12");
        peer.Client.Rooms.Keys.Should().BeEquivalentTo([12L, 15L]);
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_MoreRoomsThanAConnectionMayHave_NamesThoseThatItGets()
    {
        var peer = new RequestPeer(_parts);

        await peer.AdmitAsync(Auth("[1,2,3,4]", "[]"));

        (await peer.NextAsync("auth")).Numbers("rooms").Should().Equal(1, 2, 3);
        var rest = new[] { await NextAsync(peer), await NextAsync(peer), await NextAsync(peer), await NextAsync(peer) };
        rest.Should().BeEquivalentTo("joined 1", "joined 2", "joined 3", "forbidden 4");
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_QuantumIsOutOfReach_LetsInAndSaysThatTheRoomIsUnavailable()
    {
        _parts.Members.Answer = _ => throw new QuantumUnavailableException("away");
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(Auth(null, """[{"room_id":12}]"""))).Should().BeTrue();

        (await peer.NextAsync("auth")).Numbers("rooms").Should().BeEmpty();
        (await peer.ErrorAsync("unavailable")).Number("room_id").Should().Be(12);
        peer.Connection.IsClosing.Should().BeFalse();
    }

    [Theory(Timeout = Limit)]
    [InlineData("bm9ib2R5XzNfNw==", "invalid_token", 4500)]
    [InlineData("no base64", "invalid_token", 4500)]
    [InlineData("""{"type":"auth"}""", "bad_frame", 4501)]
    [InlineData("""{"type":"ping"}""", "bad_frame", 4501)]
    public async Task Admit_NoTokenOfASession_IsToldWhyAndClosed(string text, string code, int close)
    {
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(text)).Should().BeFalse();

        var answer = await peer.NextAsync("auth");
        (answer.Flag("success"), answer.Text("code")).Should().Be((false, code));
        answer.Text("message").Should().NotBeEmpty();
        (await peer.ClosedAsync()).Should().Be(close);
        peer.Connection.Caller.Should().BeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_OneConnectionTooMany_IsClosedAndHearsNothingOfItsUser()
    {
        var first = await RequestPeer.LoginAsync(_parts, 7, "[]");
        await RequestPeer.LoginAsync(_parts, 7, "[]");
        var third = new RequestPeer(_parts);

        (await third.AdmitAsync(Auth("[12]", "[]"))).Should().BeFalse();

        (await third.NextAsync("auth")).Text("code").Should().Be("too_many_connections");
        (await third.ClosedAsync()).Should().Be(4504);
        third.Client.Rooms.Should().BeEmpty();
        await third.Client.DisposeAsync();
        _parts.Connections.OfUser(7).Should().HaveCount(2, "who was refused takes nobody's place with it");
        await first.Client.DisposeAsync();
        await RequestPeer.LoginAsync(_parts, 7, "[]");
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_TheSessionCannotBeLookedUp_IsUnavailableAndNotInvalid()
    {
        _parts.Sessions.Failure = new RedisUnavailableException("away");
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(Auth("[]", "[]"))).Should().BeFalse();

        (await peer.NextAsync("auth")).Text("code").Should().Be("unavailable");
        (await peer.ClosedAsync()).Should().Be(4004);
        _parts.Log.All.Should().ContainSingle(line => line.Contains(peer.Connection.IdText, StringComparison.Ordinal)
            && line.StartsWith("Warning", StringComparison.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_TheUsersChannelCannotBeHeard_IsUnavailableAndLeavesNothing()
    {
        _parts.Backplane.BeforeSubscribe = what => what == "user" ? throw new RedisUnavailableException("away") : Task.CompletedTask;
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(Auth("[12]", "[]"))).Should().BeFalse();

        (await peer.ClosedAsync()).Should().Be(4004);
        await peer.Client.DisposeAsync();
        _parts.Connections.OfUser(7).Should().BeEmpty();
        _parts.Connections.Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_ARoomCannotBeHeard_LetsInAllTheSame()
    {
        _parts.Backplane.BeforeSubscribe = what => what == "room" ? throw new RedisUnavailableException("away") : Task.CompletedTask;
        var peer = new RequestPeer(_parts);

        (await peer.AdmitAsync(Auth("[12]", "[]"))).Should().BeTrue();

        (await peer.NextAsync("auth")).Flag("success").Should().BeTrue();
        (await peer.ErrorAsync("unavailable")).Number("room_id").Should().Be(12);
        _parts.Get<RoomDirectory>().Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Admit_TheSessionCannotBeWatched_LetsInAllTheSame()
    {
        var peer = new RequestPeer(_parts);
        var text = Auth("[]", "[]");
        _parts.Backplane.BeforeSubscribe = what =>
        {
            // The record has been read by now; the watch comes next.
            _parts.Sessions.Failure = new RedisUnavailableException("away");
            return Task.CompletedTask;
        };

        (await peer.AdmitAsync(text)).Should().BeTrue();

        (await peer.NextAsync("auth")).Flag("success").Should().BeTrue();
        _parts.Sessions.Watches.Should().Be(0);
        await peer.Client.DisposeAsync();
        _parts.Connections.OfUser(7).Should().BeEmpty();
    }

    private string Auth(string? roomIds, string asked)
    {
        var token = TestSessions.Token(RequestPeer.Store(_parts, 7, roomIds).ToString());
        return $$"""{"type":"auth","token":"{{token}}","rooms":{{asked}}}""";
    }

    /// <returns>Its type, or the code of an error, and its room.</returns>
    private static async Task<string> NextAsync(RequestPeer peer)
    {
        await Eventually.TrueAsync(() => peer.Waiting.Count > 0, TimeSpan.FromSeconds(10), () => "nothing came");
        var type = peer.Waiting[0].Type();
        var frame = await peer.NextAsync(type);
        return $"{frame.Text("code") ?? type} {frame.Number("room_id")}";
    }
}
