using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Rooms.Access;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Rooms.Access.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.Time.Testing;

namespace ChatServer.Tests.Rooms.Access;

public sealed class MemberListsTests
{
    private const int Limit = 20_000;

    private readonly RoomKey _room = Drafts.NewRoom();
    private readonly FakeTimeProvider _time = new();
    private readonly MemberSource _source = new();
    private readonly MemberLists _lists;

    public MemberListsTests() => _lists = new(_source, _time);

    [Fact(Timeout = Limit)]
    public async Task Check_ListsAreKeptForAMinute()
    {
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted);
        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden, "Quantum was asked on behalf of 8, too");
        _time.Advance(TimeSpan.FromSeconds(59));
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted);
        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden);
        _source.Asked.Should().HaveCount(2);

        _source.Answer = _ => [8];
        _time.Advance(TimeSpan.FromSeconds(2));

        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden);
        (await CheckAsync(8)).Should().Be(RoomAnswer.Granted);
        _source.Asked.Should().HaveCount(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_BecameAMemberSinceTheListWasRead_IsLetIn()
    {
        await CheckAsync(7);
        _source.Answer = _ => [7, 9];

        (await CheckAsync(9)).Should().Be(RoomAnswer.Granted, "a kept list refuses nobody who was not asked for");
    }

    [Fact(Timeout = Limit)]
    public async Task Check_QuantumOutOfReach_OldListCountsForAnHour()
    {
        await CheckAsync(7);
        _source.Answer = _ => throw new QuantumUnavailableException("away");
        _time.Advance(TimeSpan.FromMinutes(59));
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted);
        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden);

        _time.Advance(TimeSpan.FromMinutes(2));

        (await CheckAsync(7)).Should().Be(RoomAnswer.Unavailable);
        _source.Answer = _ => [7];
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted, "a failure is not kept");
    }

    [Fact(Timeout = Limit)]
    public async Task Check_NothingKnownAndOutOfReach_IsUnavailable()
    {
        _source.Answer = _ => throw new QuantumUnavailableException("away");

        (await CheckAsync(7)).Should().Be(RoomAnswer.Unavailable);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_AHundredAtOnce_CauseOneQuestion()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _source.Before = () => answer.Task;

        var begun = 0;
        var asking = Enumerable.Range(0, 100).Select(number => Task.Run(() =>
        {
            var check = CheckAsync(number % 2 == 0 ? 7 : 8);
            Interlocked.Increment(ref begun);
            return check;
        })).ToList();
        await Eventually.TrueAsync(() => begun == 100, TimeSpan.FromSeconds(5), () => $"{begun} of 100 asked");
        answer.SetResult();
        var answers = await Task.WhenAll(asking);

        _source.Asked.Should().ContainSingle();
        answers.Should().Equal(Enumerable.Range(0, 100).Select(number => number % 2 == 0 ? RoomAnswer.Granted : RoomAnswer.Forbidden));
    }

    [Fact(Timeout = Limit)]
    public async Task Check_ARefusalOfOneUser_NeverCountsForAnother()
    {
        _source.Answer = token => token == "rest-8" ? null : [7];

        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden);
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted);
        _source.Asked.Should().Equal("rest-8", "rest-7");
    }

    [Fact(Timeout = Limit)]
    public async Task Check_ARefusedOneAsksForAll_TheOthersAskForThemselves()
    {
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _source.Before = () => answer.Task;
        _source.Answer = token => token == "rest-8" ? null : [7];

        var refused = Task.Run(() => CheckAsync(8));
        await Eventually.TrueAsync(() => !_source.Asked.IsEmpty, TimeSpan.FromSeconds(5), () => "nobody asked");
        var waiting = Enumerable.Range(0, 10).Select(_ => Task.Run(() => CheckAsync(7))).ToList();
        answer.SetResult();

        (await refused).Should().Be(RoomAnswer.Forbidden);
        (await Task.WhenAll(waiting)).Should().AllBeEquivalentTo(RoomAnswer.Granted);
        _source.Asked.Count(token => token == "rest-7").Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_ARefusal_IsKeptForAMinute()
    {
        _source.Answer = _ => null;
        await CheckAsync(8);
        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden);
        _source.Asked.Should().ContainSingle();
        _source.Answer = _ => [8];
        _time.Advance(TimeSpan.FromSeconds(61));

        (await CheckAsync(8)).Should().Be(RoomAnswer.Granted);
    }

    [Fact(Timeout = Limit)]
    public async Task RefreshAndDrop_ChangeWhatIsKnown()
    {
        await CheckAsync(7);
        _lists.Refresh(_room, [8], _lists.Now());
        (await CheckAsync(8)).Should().Be(RoomAnswer.Granted);
        _source.Asked.Should().ContainSingle();

        _source.Answer = _ => [];
        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden);
        _source.Answer = _ => [7];
        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden, "that is kept for a minute");
        _lists.Drop(_room);

        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted);
        _source.Asked.Should().HaveCount(3);
    }

    /// <summary>What Quantum answered before the change says nothing about the members after it.</summary>
    [Theory(Timeout = Limit)]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Drop_WhileAQuestionIsUnderWay_ItsAnswerCountsForNobody(bool wasMember)
    {
        var (answer, isAsked) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), 0);
        _source.Before = () => Interlocked.Increment(ref isAsked) == 1 ? answer.Task : Task.CompletedTask;
        var answers = 0;
        _source.Answer = _ => wasMember == (Interlocked.Increment(ref answers) == 2) ? [7] : [];
        var before = CheckAsync(7);
        _lists.Drop(_room);

        (await CheckAsync(7)).Should().Be(wasMember ? RoomAnswer.Forbidden : RoomAnswer.Granted);
        answer.SetResult();

        (await before).Should().Be(wasMember ? RoomAnswer.Forbidden : RoomAnswer.Granted);
        (await CheckAsync(7)).Should().Be(wasMember ? RoomAnswer.Forbidden : RoomAnswer.Granted);
        _source.Asked.Should().HaveCount(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_QuantumHangs_AnOldListLetsItsMembersInAfterASecondAndTheAnswerIsKept()
    {
        await CheckAsync(7);
        _time.Advance(TimeSpan.FromMinutes(10));
        var answer = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        _source.Before = () => answer.Task;
        _source.Answer = _ => [8];
        var (member, other) = (CheckAsync(7), CheckAsync(8));
        _time.Advance(TimeSpan.FromMilliseconds(900));
        (await Task.WhenAny(member, Task.Delay(50))).Should().NotBe(member);

        _time.Advance(TimeSpan.FromMilliseconds(200));
        (await member).Should().Be(RoomAnswer.Granted);
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted, "it has been waited for");
        other.IsCompleted.Should().BeFalse("an old list refuses nobody while there may be an answer");
        answer.SetResult();

        (await other).Should().Be(RoomAnswer.Granted);
        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden);
        _source.Asked.Should().HaveCount(3, "of which two are from before and one on behalf of 7, who is no longer a member");
    }

    /// <summary>A save that began before the change brings the members of that time.</summary>
    [Fact(Timeout = Limit)]
    public async Task Refresh_AskedForBeforeAChange_CountsForNobody()
    {
        await CheckAsync(7);
        var began = _lists.Now();
        _lists.Drop(_room);
        _source.Answer = _ => [8];

        _lists.Refresh(_room, [7], began);
        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden);
        _lists.Refresh(_room, [7], began);
        (await CheckAsync(7)).Should().Be(RoomAnswer.Forbidden);

        _lists.Refresh(_room, [7], _lists.Now());
        (await CheckAsync(7)).Should().Be(RoomAnswer.Granted, "that one began after the change");
    }

    [Fact(Timeout = Limit)]
    public async Task Refresh_AskedForBeforeALaterAnswer_DoesNotReplaceIt()
    {
        _source.Answer = _ => [7, 8];
        await CheckAsync(7);
        var began = _lists.Now();
        _time.Advance(TimeSpan.FromSeconds(61));
        _source.Answer = _ => [7];
        await CheckAsync(7);

        _lists.Refresh(_room, [7, 8], began);

        (await CheckAsync(8)).Should().Be(RoomAnswer.Forbidden);
    }

    [Fact(Timeout = Limit)]
    public async Task HasChanged_OnlyOfThatRoomAndOnlySinceThatMoment()
    {
        await CheckAsync(7);
        var before = _lists.Now();
        _lists.Drop(_room);

        _lists.HasChanged(_room, before).Should().BeTrue();
        _lists.HasChanged(_room, _lists.Now()).Should().BeFalse();
        _lists.HasChanged(Drafts.NewRoom(), before).Should().BeFalse("nothing was said of that room");
    }

    /// <summary>Where sessions name their rooms nobody ever asks for them, and saves bring their members all the same.</summary>
    [Fact(Timeout = Limit)]
    public void Refresh_OfRoomsThatNobodyAsksFor_KeepsNothing()
    {
        for (var room = 1; room <= 1000; room++)
        {
            _lists.Refresh(new(3, room), [7, 8], _lists.Now());
        }

        _lists.Count.Should().Be(0);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_OfManyRooms_ForgetsThoseOfNoMoreUse()
    {
        for (var room = 1; room <= 1000; room++)
        {
            await _lists.CheckAsync(new(3, room), 7, "rest-7");
        }

        _time.Advance(RoomAccessOptions.Usable);
        for (var room = 2001; room <= 2100; room++)
        {
            await _lists.CheckAsync(new(3, room), 7, "rest-7");
        }

        _lists.Count.Should().Be(100);
    }

    [Fact(Timeout = Limit)]
    public async Task Check_OfLargeRooms_KeepsNoMoreThanFits()
    {
        var many = Enumerable.Range(1, RoomAccessOptions.MaxKeptUsers / 10).Select(user => (long)user).ToList();
        _source.Answer = _ => many;
        var before = _lists.Now();
        for (var room = 1; room <= 12; room++)
        {
            (await _lists.CheckAsync(new(3, room), 7, "rest-7")).Should().Be(RoomAnswer.Granted);
        }

        _lists.Count.Should().Be(9);
        _lists.HasChanged(new(3, 1), before).Should().BeFalse();
        _lists.Drop(new(3, 4));
        (await _lists.CheckAsync(new(3, 21), 7, "rest-7")).Should().Be(RoomAnswer.Granted);
        (await _lists.CheckAsync(new(3, 22), 7, "rest-7")).Should().Be(RoomAnswer.Granted);
        _lists.HasChanged(new(3, 4), before).Should().BeTrue("a change is not forgotten with its room");
    }

    [Fact(Timeout = Limit)]
    public async Task RoomAccess_TheSessionsRooms_AreTheWholeAnswer()
    {
        var access = new RoomAccess(new RoomAccessOptions(RoomAccessRule.Company), _lists);

        (await access.CheckAsync(Caller([12]), 12)).Should().Be(RoomAnswer.Granted);
        (await access.CheckAsync(Caller([12]), 13)).Should().Be(RoomAnswer.Forbidden);
        (await access.CheckAsync(Caller([]), 12)).Should().Be(RoomAnswer.Forbidden);
        (await access.CheckAsync(Caller(null), 13)).Should().Be(RoomAnswer.Granted, "the company rule lets everyone in");
        _source.Asked.Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task RoomAccess_QuantumsRule_AsksWithTheCallersTokenForTheCallersCompany()
    {
        var access = new RoomAccess(new RoomAccessOptions(RoomAccessRule.Quantum), _lists);

        (await access.CheckAsync(Caller(null), 13)).Should().Be(RoomAnswer.Granted);

        _source.Asked.Should().Equal("rest-7");
        _source.Rooms.Should().Equal(new RoomKey(3, 13));
    }

    private Task<RoomAnswer> CheckAsync(long user) => _lists.CheckAsync(_room, user, $"rest-{user}").AsTask();

    private static Caller Caller(IReadOnlyList<long>? rooms) => new(7, 3, "rest-7", rooms, new SessionKey("s", 3, 7), null);
}
