using ChatServer.Redis;
using ChatServer.Requests;
using ChatServer.Sessions;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Requests;

public sealed class MessageRequestsTests : IAsyncDisposable
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 2, 3, 4, 5, 678, TimeSpan.Zero));
    private readonly ServiceParts _parts;

    public MessageRequestsTests() => _parts = new(_time, ("RATE_LIMIT", "0"));

    public ValueTask DisposeAsync() => _parts.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Send_IsAcknowledgedRelayedToTheOthersAndKeptForQuantum()
    {
        var (sender, tab) = (await RequestPeer.JoinAsync(_parts, 7, Room), await RequestPeer.JoinAsync(_parts, 7, Room));
        var other = await RequestPeer.JoinAsync(_parts, 8, Room);

        await sender.SendAsync("""{"type":"chat","room_id":12,"identifier":"\u00e41","body":"Zażółć \"\n\ud83d\ude00"}""");

        var ack = await sender.NextAsync("ack");
        (ack.Flag("success"), ack.Number("room_id"), ack.Text("identifier"), ack.Number("seq"), ack.Text("timestamp")).Should()
            .Be((true, Room, "ä1", 1, "2030-01-02T03:04:05.678Z"));
        foreach (var peer in new[] { tab, other })
        {
            var message = (await peer.NextAsync("chat")).Messages().Should().ContainSingle().Subject;
            message.Text("body").Should().Be("Zażółć \"\n😀");
            (message.Number("from_user_id"), message.Number("company_id"), message.Number("seq")).Should().Be((7, 3, 1));
        }

        sender.Waiting.Should().BeEmpty("a sender gets no echo");
        (await _parts.Outbox.UnsavedOfAsync(new(3, Room))).Should().ContainSingle().Which.Message!.Identifier.Should().Be("ä1");
        (await _parts.Get<UserTokens>().NewestAsync(7)).Should().Be("rest-7", "whoever saves it needs the sender's token");
    }

    [Fact(Timeout = Limit)]
    public async Task Send_TheFirstMessageOfAConnection_RemembersItsSessionAndTheOthersDoNot()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        (await _parts.Sessions.FindTokenAsync(7)).Should().BeNull("most who connect write nothing");
        _parts.Sessions.Failure = new RedisUnavailableException("away");
        await peer.ChatAsync(Room, "a1");
        await peer.NextAsync("ack");
        _parts.Sessions.Failure = null;

        await peer.ChatAsync(Room, "a2");
        await peer.NextAsync("ack");
        (await _parts.Sessions.FindTokenAsync(7)).Should().NotBeNull("what failed is tried again");
        await _parts.Sessions.KeepTokenAsync(7, "other"u8.ToArray(), TimeSpan.FromDays(1));
        await peer.ChatAsync(Room, "a3");
        await peer.NextAsync("ack");

        (await _parts.Sessions.FindTokenAsync(7))!.Value.ToArray().Should().Equal("other"u8.ToArray());
    }

    [Theory(Timeout = Limit)]
    [InlineData("""{"type":"chat","room_id":12,"body":"x"}""", "bad_frame")]
    [InlineData("""{"type":"chat","room_id":12,"identifier":"","body":"x"}""", "bad_frame")]
    [InlineData("""{"type":"chat","room_id":12,"identifier":"a1"}""", "bad_frame")]
    [InlineData("""{"type":"chat","room_id":12,"identifier":"a1","body":""}""", "bad_frame")]
    [InlineData("""{"type":"chat","room_id":13,"identifier":"a1","body":"x"}""", "not_in_room")]
    public async Task Send_WhatCannotBeAccepted_IsRefused(string frame, string code)
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);

        await peer.SendAsync(frame);

        await peer.ErrorAsync(code);
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Send_AnIdentifierOnceMore_GetsTheFirstAckAndIsNotRelayedAgain()
    {
        var (sender, other) = (await RequestPeer.JoinAsync(_parts, 7, Room), await RequestPeer.JoinAsync(_parts, 8, Room));
        await sender.ChatAsync(Room, "a1", "one");
        var first = await sender.NextAsync("ack");
        _time.Advance(TimeSpan.FromSeconds(30));

        await sender.ChatAsync(Room, "a1", "two");
        await sender.ChatAsync(Room, "a2", "three");

        (await sender.NextAsync("ack")).ToJsonString().Should().Be(first.ToJsonString(), "also the time is that of the first");
        (await sender.NextAsync("ack")).Number("seq").Should().Be(2);
        var bodies = new List<string?>();
        while (bodies.Count < 2)
        {
            bodies.AddRange((await other.NextAsync("chat")).Messages().Select(message => message.Text("body")));
        }

        bodies.Should().Equal("one", "three");
        (await _parts.Outbox.SizeAsync()).Waiting.Should().Be(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Send_RedisIsOutOfReach_IsUnavailableAndTheSlotIsFreeAgain()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        _parts.Backplane.BeforeAccept = _ => throw new RedisUnavailableException("away");
        for (var number = 1; number <= RequestOptions.MaxAccepting + 1; number++)
        {
            await peer.ChatAsync(Room, $"a{number}");
            var error = await peer.ErrorAsync("unavailable");
            (error.Number("room_id"), error.Text("identifier")).Should().Be((Room, $"a{number}"));
        }

        _parts.Backplane.BeforeAccept = _ => Task.CompletedTask;
        await peer.ChatAsync(Room, "a1");

        (await peer.NextAsync("ack")).Number("seq").Should().Be(1, "nothing was accepted before");
    }

    [Fact(Timeout = Limit)]
    public async Task Send_MoreThanMayBeUnderWay_WaitsUntilOneIsAccepted()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        var redis = new TaskCompletionSource();
        _parts.Backplane.BeforeAccept = _ => redis.Task;
        for (var number = 1; number <= RequestOptions.MaxAccepting; number++)
        {
            peer.Handle(Chat(number)).IsCompletedSuccessfully.Should().BeTrue("number {0} may be under way", number);
        }

        var waiting = peer.Handle(Chat(RequestOptions.MaxAccepting + 1));
        waiting.IsCompleted.Should().BeFalse("its socket is not read on");

        redis.SetResult();
        await waiting.WaitAsync(TimeSpan.FromSeconds(10));
        var seqs = new List<long>();
        while (seqs.Count <= RequestOptions.MaxAccepting)
        {
            seqs.Add((await peer.NextAsync("ack")).Number("seq"));
        }

        seqs.Should().Equal(Enumerable.Range(1, RequestOptions.MaxAccepting + 1).Select(seq => (long)seq));
    }

    [Fact(Timeout = Limit)]
    public async Task Send_LeavesBeforeTheAnswer_IsAcknowledgedAllTheSame()
    {
        var peer = await RequestPeer.JoinAsync(_parts, 7, Room);
        var redis = new TaskCompletionSource();
        _parts.Backplane.BeforeAccept = _ => redis.Task;
        await peer.ChatAsync(Room, "a1");
        await peer.SendAsync("""{"type":"leave","room_id":12}""");
        await peer.NextAsync("left");

        redis.SetResult();

        (await peer.NextAsync("ack")).Text("identifier").Should().Be("a1");
    }

    private static string Chat(int number) => $$"""{"type":"chat","room_id":12,"identifier":"a{{number}}","body":"x"}""";
}
