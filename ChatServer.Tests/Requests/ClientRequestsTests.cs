using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Requests;

public sealed class ClientRequestsTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceParts _parts;

    public ClientRequestsTests() => _parts = new(_time, ("RATE_LIMIT", "2"), ("RATE_BURST", "10"));

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Handle_Ping_IsAnsweredWithPong()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync("""{"type":"ping"}""");

        (await peer.NextAsync("pong")).ToJsonString().Should().Be("""{"type":"pong"}""");
    }

    [Theory(Timeout = Limit)]
    [InlineData("no JSON", "bad_frame")]
    [InlineData("[]", "bad_frame")]
    [InlineData("""{"room_id":12}""", "bad_frame")]
    [InlineData("""{"type":"auth","token":"again"}""", "bad_frame")]
    [InlineData("""{"type":"join"}""", "bad_frame")]
    [InlineData("""{"type":"leave"}""", "bad_frame")]
    [InlineData("""{"type":"chat","identifier":"a1","body":"x"}""", "bad_frame")]
    [InlineData("""{"type":"file","identifier":"f1","name":"a","size":1}""", "bad_frame")]
    [InlineData("""{"type":"nonsense","room_id":12}""", "unknown_type")]
    [InlineData("""{"type":"chat","room_id":12,"identifier":"a1","body":"x","user_id":8}""", "identity_mismatch")]
    [InlineData("""{"type":"leave","room_id":12,"company_id":4}""", "identity_mismatch")]
    [InlineData("""{"type":"ping","user_id":"x"}""", "identity_mismatch")]
    public async Task Handle_AFrameOfNoUse_GetsItsErrorAndHasNoEffect(string frame, string code)
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync(frame);

        await peer.ErrorAsync(code);
        peer.Waiting.Should().BeEmpty();
        peer.Client.MemberOf(Room).Should().NotBeNull();
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(0);
        peer.Connection.IsClosing.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_AForeignIdentity_IsToldInTheWordsOfTheContract()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync("""{"type":"chat","room_id":12,"identifier":"a1","body":"x","user_id":8,"company_id":3}""");

        var error = await peer.ErrorAsync("identity_mismatch");
        error.Text("message").Should().Be("User or Company id is not correct");
        (error.Number("room_id"), error.Text("identifier")).Should().Be((Room, "a1"));
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_TheOwnIdentity_MayBeSaid()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync("""{"type":"chat","room_id":12,"identifier":"a1","body":"x","user_id":7,"company_id":3}""");

        await peer.NextAsync("ack");
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_AnUnknownTypeOfAnyLength_IsShownShort()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync($$"""{"type":"{{new string('x', 5000)}}"}""");

        (await peer.ErrorAsync("unknown_type")).Text("message").Should().Contain($"\"{new string('x', 40)}…\"");
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_EachType_GoesToTheOneWhoDoesIt()
    {
        var peer = await RequestPeer.LoginAsync(_parts, 7);

        await peer.SendAsync("""{"type":"join","room_id":12}""");
        await peer.NextAsync("joined");
        await peer.ChatAsync(Room, "a1");
        await peer.NextAsync("ack");
        await peer.SendAsync(FileFrames.Announce(Room, "f1", 10));
        await peer.NextAsync("upload");
        await peer.SendAsync(FileFrames.Cancel("f1"));
        await peer.ErrorAsync("file_incomplete");
        await peer.SendAsync("""{"type":"leave","room_id":12}""");
        await peer.NextAsync("left");
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_MoreFramesThanTheBurst_AreRefusedWithTheirIdentifierUntilTimeHasGoneBy()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        for (var number = 1; number <= 10; number++)
        {
            await peer.SendAsync("""{"type":"ping"}""");
            await peer.NextAsync("pong");
        }

        await peer.ChatAsync(Room, "a1");

        var error = await peer.ErrorAsync("rate_limited");
        (error.Number("room_id"), error.Text("identifier")).Should().Be((Room, "a1"));
        error.Text("message").Should().Contain("2 frames a second").And.Contain("10 at once");
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(0, "what is refused is not accepted");
        _time.Advance(TimeSpan.FromSeconds(1));
        await peer.ChatAsync(Room, "a1");
        await peer.NextAsync("ack");
    }

    [Fact(Timeout = Limit)]
    public async Task Handle_GoesOnAfterManyRefusals_IsClosed()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        for (var number = 1; number <= 200 && !peer.Connection.IsClosing; number++)
        {
            await peer.SendAsync("no JSON");
        }

        (await peer.ClosedAsync()).Should().Be(4002, "frames of no use count as well");
        peer.Waiting.Count(frame => frame.Text("code") == "bad_frame").Should().Be(10);
        peer.Waiting.Count(frame => frame.Text("code") == "rate_limited").Should().BeGreaterThan(1, "it was told first");
    }
}
