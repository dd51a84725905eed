using System.Text;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Rooms.Access;
using ChatServer.Tests.Requests.Support;
using ChatServer.Tests.Support;
using ChatServer.Users;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Users;

public sealed class ControlChannelTests : IAsyncLifetime
{
    private const int Limit = 20_000;
    private const long Room = 12;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly FakeTimeProvider _time = new();
    private readonly ServiceParts _parts;
    private readonly ControlChannel _channel;

    public ControlChannelTests()
    {
        _parts = new(_time);
        _channel = _parts.Get<IEnumerable<IHostedService>>().OfType<ControlChannel>().Single();
    }

    public async ValueTask InitializeAsync() => await _channel.StartAsync(CancellationToken.None).WaitAsync(Patience);

    public async ValueTask DisposeAsync()
    {
        await _channel.StopAsync(CancellationToken.None).WaitAsync(Patience);
        await _parts.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task Logout_ClosesTheConnectionsOfThatSessionAndOfNoOther()
    {
        var (one, tab) = (await RequestPeer.LoginAsync(_parts, 7), await RequestPeer.LoginAsync(_parts, 7));
        var phone = await RequestPeer.LoginAsync(_parts, 7, session: "phone");
        var other = await RequestPeer.LoginAsync(_parts, 8);

        await OrderAsync("""{"type":"logout","key":"s_3_7"}""");

        (await one.ClosedAsync()).Should().Be(4503);
        (await tab.ClosedAsync()).Should().Be(4503);
        new[] { phone, other }.Should().AllSatisfy(peer => peer.Connection.IsClosing.Should().BeFalse());
    }

    [Fact(Timeout = Limit)]
    public async Task Disconnect_WithoutACompany_ClosesAllConnectionsOfTheUser()
    {
        var (one, elsewhere) = (await RequestPeer.LoginAsync(_parts, 7), await RequestPeer.LoginAsync(_parts, 7, company: 4));
        var other = await RequestPeer.LoginAsync(_parts, 8);

        await OrderAsync("""{"type":"disconnect","user_id":7}""");

        (await one.ClosedAsync()).Should().Be(4503);
        (await elsewhere.ClosedAsync()).Should().Be(4503);
        other.Connection.IsClosing.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task Disconnect_WithACompany_ClosesThoseOfThatCompanyOnly()
    {
        var (one, elsewhere) = (await RequestPeer.LoginAsync(_parts, 7), await RequestPeer.LoginAsync(_parts, 7, company: 4));

        await OrderAsync("""{"type":"disconnect","user_id":7,"company_id":4}""");

        (await elsewhere.ClosedAsync()).Should().Be(4503);
        one.Connection.IsClosing.Should().BeFalse();
    }

    [Fact(Timeout = Limit)]
    public async Task MembersChanged_PutsOutWhoIsNoLongerAMemberAndKeepsTheRest()
    {
        _parts.Members.Answer = _ => [7, 8];
        var (staying, leaving) = (await EnterAsync(7, Room), await EnterAsync(8, Room));
        await leaving.SendAsync("""{"type":"join","room_id":13}""");
        await leaving.NextAsync("joined");
        _parts.Members.Answer = _ => [7];

        await OrderAsync("""{"type":"members_changed","company_id":3,"room_id":12}""");

        var left = await leaving.NextAsync("left");
        (left.Number("room_id"), left.Text("code"), left.Flag("success")).Should().Be((Room, "removed", true));
        leaving.Client.MemberOf(Room).Should().BeNull();
        leaving.Client.MemberOf(13).Should().NotBeNull("nothing was said of that room");
        staying.Client.MemberOf(Room).Should().NotBeNull();
        staying.Waiting.Should().BeEmpty();
    }

    /// <summary>The room does not have it yet, so nobody else can put it out.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    [InlineData(false, true)]
    public async Task MembersChanged_WhileOneIsStillComingIn_DoesNotLetItIn(bool inTheFirstFrame, bool isReplayed)
    {
        _parts.Members.Answer = _ => [7, 8];
        var staying = await EnterAsync(7, Room);
        await staying.ChatAsync(Room, "a1");
        await staying.NextAsync("ack");
        var position = isReplayed
            ? $"\"room_id\":12,\"since\":0,\"epoch\":\"{staying.Client.MemberOf(Room)!.Room.Position.Epoch}\""
            : "\"room_id\":12,\"since\":0,\"epoch\":\"another\"";
        var (reads, go) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _parts.Backplane.BeforeRead = async (_, _) =>
        {
            reads.TrySetResult();
            await go.Task;
        };
        var coming = inTheFirstFrame ? new RequestPeer(_parts) : await RequestPeer.LoginAsync(_parts, 8);
        Task joining = inTheFirstFrame
            ? coming.AdmitAsync(
                $$"""{"type":"auth","token":"{{TestSessions.Token(RequestPeer.Store(_parts, 8).ToString())}}","rooms":[{ {{position}} }]}""")
            : coming.SendAsync($$"""{"type":"join",{{position}}}""");
        await reads.Task.WaitAsync(Patience);
        _parts.Members.Answer = _ => [7];
        var asked = _parts.Members.Asked.Count;
        await OrderAsync("""{"type":"members_changed","company_id":3,"room_id":12}""");
        await Eventually.TrueAsync(() => _parts.Members.Asked.Count > asked, Patience, () => "those who are in were not asked for");

        go.SetResult();
        await joining;

        if (inTheFirstFrame)
        {
            await coming.NextAsync("auth");
        }

        if (isReplayed)
        {
            await coming.NextAsync("joined");
            (await coming.NextAsync("left")).Text("code").Should().Be("removed", "it was told already that it is in");
        }
        else
        {
            await coming.ErrorAsync("forbidden");
        }

        coming.Client.MemberOf(Room).Should().BeNull();
        await staying.ChatAsync(Room, "a2");
        await staying.NextAsync("ack");
        coming.Waiting.Should().BeEmpty("it hears nothing of the room");
    }

    [Fact(Timeout = Limit)]
    public async Task MembersChanged_OfAnotherCompanysRoomOfThatNumber_DoesNothing()
    {
        var peer = await EnterAsync(7, Room);
        _parts.Members.Answer = _ => [];
        _parts.Members.Asked.Clear();

        await OrderAsync("""{"type":"members_changed","company_id":4,"room_id":12}""");

        peer.Client.MemberOf(Room).Should().NotBeNull();
        _parts.Members.Asked.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task MembersChanged_QuantumIsOutOfReach_EverybodyStays()
    {
        var peer = await EnterAsync(7, Room);
        var asked = _parts.Members.Asked.Count;
        _parts.Members.Answer = _ => throw new QuantumUnavailableException("away");

        await OrderAsync("""{"type":"members_changed","company_id":3,"room_id":12}""");

        await Eventually.TrueAsync(() => _parts.Members.Asked.Count > asked, Patience, () => "the cached list was not dropped");
        peer.Client.MemberOf(Room).Should().NotBeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task MembersChanged_QuantumWasOutOfReach_PutsOutWhenItAnswers()
    {
        _parts.Members.Answer = _ => [7, 8];
        var (staying, leaving) = (await EnterAsync(7, Room), await EnterAsync(8, Room));
        var asked = _parts.Members.Asked.Count;
        _parts.Members.Answer = _ => throw new QuantumUnavailableException("away");
        await OrderAsync("""{"type":"members_changed","company_id":3,"room_id":12}""");
        await Eventually.TrueAsync(() => _parts.Members.Asked.Count > asked, Patience, () => "Quantum was not asked");
        _parts.Members.Answer = _ => [7];

        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RoomAccessOptions.RecheckPause);
                return leaving.Waiting.Count > 0;
            },
            Patience, () => "who is no longer a member is still in");

        (await leaving.NextAsync("left")).Text("code").Should().Be("removed");
        staying.Client.MemberOf(Room).Should().NotBeNull();
    }

    /// <summary>The thread that hears orders hears all rooms' messages as well.</summary>
    [Fact(Timeout = Limit)]
    public async Task MembersChanged_AgainAndAgain_HoldsUpNobodyAndIsAskedForOnceAtATime()
    {
        await EnterAsync(7, Room);
        using var answer = new ManualResetEventSlim();
        var asked = _parts.Members.Asked.Count;
        _parts.Members.Before = () =>
        {
            answer.Wait(Patience);
            return Task.CompletedTask;
        };

        await Task.Run(async () =>
        {
            for (var order = 0; order < 1000; order++)
            {
                await OrderAsync("""{"type":"members_changed","company_id":3,"room_id":12}""");
            }
        }).WaitAsync(TimeSpan.FromSeconds(5));
        answer.Set();

        await Eventually.TrueAsync(() => _parts.Members.Asked.Count > asked, Patience, () => "Quantum was not asked");
        await Task.Delay(200);
        _parts.Members.Asked.Count.Should().BeLessThanOrEqualTo(asked + RoomAccessOptions.RechecksAtOnce + 2);
    }

    [Fact(Timeout = Limit)]
    public async Task Restored_ChangesHaveBeenMissed_AreMadeGoodAFewRoomsAtATime()
    {
        _parts.Members.Answer = _ => [7, 8];
        var (staying, leaving) = (await EnterAsync(7, Room), await EnterAsync(8, Room));
        for (var room = 101; room <= 130; room++)
        {
            await leaving.SendAsync($$"""{"type":"join","room_id":{{room}}}""");
            await leaving.NextAsync("joined");
        }

        var (now, most) = (0, 0);
        _parts.Members.Before = async () =>
        {
            most = Math.Max(most, Interlocked.Increment(ref now));
            await Task.Delay(10);
            Interlocked.Decrement(ref now);
        };
        _parts.Members.Answer = _ => [7];

        _parts.Backplane.Restore();

        await Eventually.TrueAsync(() => leaving.Waiting.Count == 31, Patience, () => $"{leaving.Waiting.Count} of 31 rooms were left");
        leaving.Waiting.Should().OnlyContain(frame => frame.Text("code") == "removed");
        most.Should().BeLessThanOrEqualTo(RoomAccessOptions.RechecksAtOnce);
        staying.Client.MemberOf(Room).Should().NotBeNull();
    }

    [Fact(Timeout = Limit)]
    public async Task Restored_QuantumIsOutOfReach_EverybodyStaysUntilItAnswers()
    {
        var peer = await EnterAsync(7, Room);
        var asked = _parts.Members.Asked.Count;
        _parts.Members.Answer = _ => throw new QuantumUnavailableException("away");

        _parts.Backplane.Restore();

        await Eventually.TrueAsync(() => _parts.Members.Asked.Count > asked, Patience, () => "Quantum was not asked");
        peer.Client.MemberOf(Room).Should().NotBeNull();
        _parts.Members.Answer = _ => [];
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RoomAccessOptions.RecheckPause);
                return peer.Waiting.Count > 0;
            },
            Patience, () => "who is no longer a member is still in");
        (await peer.NextAsync("left")).Text("code").Should().Be("removed");
    }

    /// <summary>Quantum was slow, and the list of ten minutes ago let somebody in who is no longer a member.</summary>
    [Fact(Timeout = Limit)]
    public async Task Join_ByAnOldListWhileQuantumIsAsked_IsPutOutIfTheAnswerSaysSo()
    {
        var peer = await EnterAsync(7, Room);
        await peer.SendAsync("""{"type":"leave","room_id":12}""");
        await peer.NextAsync("left");
        _time.Advance(TimeSpan.FromMinutes(10));
        var (isAsked, answer) = (new TaskCompletionSource(), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        _parts.Members.Before = () =>
        {
            isAsked.TrySetResult();
            return answer.Task;
        };
        _parts.Members.Answer = _ => [8];
        await peer.Handle("""{"type":"join","room_id":12}""");
        await isAsked.Task.WaitAsync(Patience);
        await Eventually.TrueAsync(
            () =>
            {
                _time.Advance(RoomAccessOptions.Patience);
                return peer.Waiting.Count > 0;
            },
            Patience, () => "the old list does not count");
        await peer.NextAsync("joined");

        answer.SetResult();

        (await peer.NextAsync("left")).Text("code").Should().Be("removed");
        await Eventually.TrueAsync(() => peer.Client.MemberOf(Room) is null, Patience, () => "it is still in");
    }

    [Theory(Timeout = Limit)]
    [InlineData("")]
    [InlineData("logout")]
    [InlineData("null")]
    [InlineData("[]")]
    [InlineData("{}")]
    [InlineData("""{"type":"restart","user_id":7}""")]
    [InlineData("""{"type":"logout"}""")]
    [InlineData("""{"type":"logout","key":"s_3"}""")]
    [InlineData("""{"type":"logout","key":"\ud800"}""")]
    [InlineData("""{"type":"disconnect","company_id":3}""")]
    [InlineData("""{"type":"disconnect","user_id":"7"}""")]
    [InlineData("""{"type":"members_changed","room_id":12}""")]
    [InlineData("""{"type":"members_changed","company_id":3}""")]
    [InlineData("""{"type":"disconnect","user_id":7""")]
    public async Task Order_ThatIsNone_DoesNothingAndIsLogged(string garbage)
    {
        var peer = await EnterAsync(7, Room);
        _parts.Members.Answer = _ => [];

        await OrderAsync(garbage);

        _parts.Log.All.Where(line => line.StartsWith("Warning", StringComparison.Ordinal)).Should().ContainSingle()
            .Which.Should().Contain("chat:control").And.Contain($" {Encoding.UTF8.GetByteCount(garbage)} bytes");
        peer.Connection.IsClosing.Should().BeFalse();
        peer.Client.MemberOf(Room).Should().NotBeNull();
        await OrderAsync("""{"type":"disconnect","user_id":7}""");
        (await peer.ClosedAsync()).Should().Be(4503, "the channel is heard on");
    }

    [Fact(Timeout = Limit)]
    public async Task Start_SubscriptionFails_IsTriedAgainUntilItIsHeard()
    {
        var tries = 0;
        await using var parts = new ServiceParts(_time);
        parts.Backplane.BeforeSubscribe = what => what == "control" && Interlocked.Increment(ref tries) < 3
            ? throw new RedisUnavailableException("away")
            : Task.CompletedTask;
        using var channel = ActivatorUtilities.CreateInstance<ControlChannel>(parts.Get<IServiceProvider>());
        await channel.StartAsync(CancellationToken.None).WaitAsync(Patience);

        for (var expected = 1; expected < 3; expected++)
        {
            await Eventually.TrueAsync(() => Volatile.Read(ref tries) == expected, Patience, () => $"{tries} tries were made");
            await AdvanceAsync(() => Volatile.Read(ref tries) > expected);
        }

        await Eventually.TrueAsync(() => parts.Backplane.ControlListeners == 1, Patience, () => "it is not heard");
        await channel.StopAsync(CancellationToken.None).WaitAsync(Patience);
        parts.Backplane.ControlListeners.Should().Be(0, "who stops hears no more");
    }

    private async Task<RequestPeer> EnterAsync(long user, long room)
    {
        var peer = await RequestPeer.LoginAsync(_parts, user);
        await peer.SendAsync($$"""{"type":"join","room_id":{{room}}}""");
        await peer.NextAsync("joined");
        return peer;
    }

    private async Task OrderAsync(string json)
    {
        await Eventually.TrueAsync(() => _parts.Backplane.ControlListeners == 1, Patience, () => "the channel is not heard");
        _parts.Backplane.Order(Encoding.UTF8.GetBytes(json));
    }

    /// <summary>The pause may begin a moment after the failure, so time goes by until it has ended.</summary>
    private Task AdvanceAsync(Func<bool> condition) => Eventually.TrueAsync(
        () =>
        {
            _time.Advance(RedisOptions.ResubscribePause);
            return condition();
        },
        Patience, () => "it was not tried again");
}
