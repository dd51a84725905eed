using System.Collections.Concurrent;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Redis.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Backplane;

/// <summary>Messages that share one call of the accept script.</summary>
public sealed class AcceptBatcherTests(RedisServer redis) : IClassFixture<RedisServer>, IAsyncLifetime
{
    private const int Limit = 30_000;

    private RedisNode? _node;

    private RedisNode Node => _node!;

    public async ValueTask InitializeAsync() => _node = await RedisNode.ConnectAsync(redis);

    public ValueTask DisposeAsync() => Node.DisposeAsync();

    [Fact(Timeout = Limit)]
    public async Task Post_TroubleWithOneRoom_FailsThatRoomAloneAndClaimsNoIdentifier()
    {
        var (broken, sound) = (Drafts.NewRoom(), Drafts.NewRoom());
        await Node.Backplane.AcceptAsync(Drafts.Of(broken, 7, "a1"));
        var log = await Node.Database.KeyDumpAsync(Node.Keys.Log(broken));
        await Node.Database.StringSetAsync(Node.Keys.Log(broken), "no stream");

        var answers = await TogetherAsync(
            Drafts.Of(broken, 7, "a2"), Drafts.Of(sound, 7, "b1"), Drafts.Of(broken, 7, "a3"), Drafts.Of(sound, 7, "b2"));

        await FailsAsync(answers[0]);
        (await answers[1]).Seq.Should().Be(1);
        await FailsAsync(answers[2]);
        (await answers[3]).Seq.Should().Be(2);

        await Node.Database.KeyDeleteAsync(Node.Keys.Log(broken));
        await Node.Database.KeyRestoreAsync(Node.Keys.Log(broken), log!);
        (await Node.Backplane.AcceptAsync(Drafts.Of(broken, 7, "a2")))
            .Should().Match<Acceptance>(answer => answer.Seq == 2 && !answer.IsRepeat, "nothing was half done");
    }

    [Fact(Timeout = Limit)]
    public async Task Post_AMessageFails_WhatFollowsInItsRoomDoesNotOvertake()
    {
        var room = Drafts.NewRoom();
        await Node.Database.HashSetAsync(Node.Keys.Identifier(room, 7, "a1"), "no", "string");

        var answers = await TogetherAsync(Drafts.Of(room, 7, "a1"), Drafts.Of(room, 7, "a2"));

        await FailsAsync(answers[0]);
        await FailsAsync(answers[1]);
        await Node.Database.KeyDeleteAsync(Node.Keys.Identifier(room, 7, "a1"));
        (await Node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"))).Seq.Should().Be(1);
        (await Node.Backplane.AcceptAsync(Drafts.Of(room, 7, "a2"))).Seq.Should().Be(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Post_ManyRoomsAndARepeatAmongThem_EachGetsItsOwnAnswer()
    {
        var rooms = Enumerable.Range(0, 40).Select(_ => Drafts.NewRoom()).ToArray();
        var heard = new Heard();
        await using var subscription = await Node.Backplane.SubscribeAsync(rooms[3], heard);
        var drafts = Enumerable.Range(0, 2000).Select(number => Drafts.Of(rooms[number % 40], 7, $"m{number}")).ToList();
        drafts.Insert(1000, Drafts.Of(rooms[3], 7, "m3", timestamp: "2030-01-01T00:00:00.000Z"));

        var answers = await Task.WhenAll(await TogetherAsync([.. drafts]));

        answers[1000].Should().Be(answers[3] with { IsRepeat = true });
        var fresh = answers.Where((_, index) => index != 1000).ToArray();
        fresh.Select(answer => answer.Seq).Should().Equal(Enumerable.Range(0, 2000).Select(number => 1L + (number / 40)));
        (await heard.MessagesAsync(50)).Select(message => message.Seq).Should().Equal(Enumerable.Range(1, 50).Select(seq => (long)seq));
        (await Node.Backplane.ReadAsync(rooms[3], 0, 100)).Messages.Should().HaveCount(50);
    }

    [Fact(Timeout = Limit)]
    public async Task Post_SeveralFilesAmongMessagesInOneCall_EachKeepsItsOwn()
    {
        var rooms = Enumerable.Range(0, 3).Select(_ => Drafts.NewRoom()).ToArray();
        var files = rooms.Select(room => FileId.New(Node.Keys.PartitionOf(room))).ToArray();
        foreach (var file in (FileId[])[files[0], files[2]])
        {
            await Node.Database.HashSetAsync(RedisKeys.File(file), "0", "bytes");
        }

        var answers = await TogetherAsync(
            [.. rooms.Select(
                (room, index) => Drafts.Of(room, 7, "f1") with { File = new(files[index], TimeSpan.FromMinutes(10 * (index + 1))) }),
             .. rooms.Select(room => Drafts.Of(room, 7, "a1"))]);

        await FailsAsync(answers[1]);
        (await Task.WhenAll(answers.Where((_, index) => index != 1))).Select(answer => answer.Seq).Should()
            .Equal([1, 1, 2, 1, 2], "only the one whose file is gone is refused");
        foreach (var (file, minutes) in ((FileId, int)[])[(files[0], 10), (files[2], 30)])
        {
            (await Node.Database.KeyTimeToLiveAsync(RedisKeys.File(file))).Should()
                .BeCloseTo(TimeSpan.FromMinutes(minutes), TimeSpan.FromMinutes(1));
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Post_MegabytesWaitInOneRoom_AnotherWaitsForOneCallAtMost()
    {
        var (loud, quiet) = (Drafts.NewRoom(), Drafts.NewRoom());
        var body = new string('b', 60_000);
        var told = new ConcurrentQueue<RoomKey>();

        var answers = await TogetherAsync(
            [.. Enumerable.Range(0, 200).Select(number => Drafts.Of(loud, 7, $"m{number}", body)), Drafts.Of(quiet, 8, "a1")],
            draft => told.Enqueue(draft.Room));

        (await Task.WhenAll(answers)).Select(answer => answer.Seq).Should().Equal([.. Enumerable.Range(1, 200), 1]);
        told.TakeWhile(room => room == loud).Count().Should().BeLessThan(20, "12 MB are no call");
    }

    /// <summary>Posts messages while a call is under way: they share the next ones.</summary>
    private Task<Task<Acceptance>[]> TogetherAsync(params MessageDraft[] drafts) => TogetherAsync(drafts, _ => { });

    private async Task<Task<Acceptance>[]> TogetherAsync(MessageDraft[] drafts, Action<MessageDraft> told)
    {
        await Node.Database.ExecuteAsync("CLIENT", "PAUSE", 300, "ALL");
        var first = Node.Backplane.AcceptAsync(Drafts.Of(Drafts.NewRoom(), 7, "first"));
        await Task.Delay(50);
        var answers = drafts.Select(draft => Node.Backplane.AcceptAsync(draft, told)).ToArray();
        await first;
        await Task.WhenAll(answers).ContinueWith(_ => { }, TaskScheduler.Default);
        return answers;
    }

    private static async Task FailsAsync(Task<Acceptance> answer) =>
        await FluentActions.Awaiting(() => answer).Should().ThrowAsync<RedisUnavailableException>();
}
