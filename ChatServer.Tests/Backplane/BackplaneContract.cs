using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Backplane;

/// <summary>What holds for every backplane, whatever it is made of.</summary>
public abstract class BackplaneContract
{
    private protected const int Limit = 30_000;

    private protected abstract IBackplane Backplane { get; }

    /// <summary>Somebody publishes for a user.</summary>
    private protected abstract Task TellUserAsync(long user, byte[] json);

    [Fact(Timeout = Limit)]
    public async Task Accept_FirstMessages_CountFromOneInOneEpoch()
    {
        var room = Drafts.NewRoom();

        var first = await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1", timestamp: "2026-01-01T10:00:00.000Z"));
        var second = await Backplane.AcceptAsync(Drafts.Of(room, 7, "a2", timestamp: "2026-01-01T10:00:00.001Z"));

        first.Should().Be(new Acceptance(1, first.Epoch, "2026-01-01T10:00:00.000Z", false));
        second.Should().Be(new Acceptance(2, first.Epoch, "2026-01-01T10:00:00.001Z", false));
        first.Epoch.Should().NotBeNullOrEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_KnownIdentifier_GivesTheFirstAnswerAndDoesNothing()
    {
        var room = Drafts.NewRoom();
        var heard = new Heard();
        await using var subscription = await Backplane.SubscribeAsync(room, heard);
        var first = await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1", "first", timestamp: "2026-01-01T10:00:00.000Z"));
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a2"));

        var again = await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1", "second", origin: 99, timestamp: "2026-01-01T10:05:00.000Z"));
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a3"));

        again.Should().Be(first with { IsRepeat = true });
        (await heard.MessagesAsync(3)).Select(message => message.Seq).Should().Equal(1, 2, 3);
        (await Backplane.ReadAsync(room, 0, 10)).Messages.Should().HaveCount(3);
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_SameIdentifierOfAnotherUserOrRoom_IsAnotherMessage()
    {
        var (room, other) = (Drafts.NewRoom(), Drafts.NewRoom());

        (await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"))).Seq.Should().Be(1);
        (await Backplane.AcceptAsync(Drafts.Of(room, 8, "a1"))).Should().Match<Acceptance>(answer => answer.Seq == 2 && !answer.IsRepeat);
        (await Backplane.AcceptAsync(Drafts.Of(other, 7, "a1"))).Should().Match<Acceptance>(answer => answer.Seq == 1 && !answer.IsRepeat);
    }

    [Fact(Timeout = Limit)]
    public async Task Find_Identifier_GivesTheFirstAnswerOrNone()
    {
        var room = Drafts.NewRoom();
        (await Backplane.FindAsync(room, 7, "a1")).Should().BeNull();
        var first = await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));

        (await Backplane.FindAsync(room, 7, "a1")).Should().Be(first with { IsRepeat = true });
        (await Backplane.FindAsync(room, 8, "a1")).Should().BeNull();
        (await Backplane.FindAsync(room, 7, "A1")).Should().BeNull();
    }

    [Theory(Timeout = Limit)]
    [InlineData("a:b", "a")]
    [InlineData("A", "a")]
    [InlineData("é", "e\u0301")]
    [InlineData("a ", "a")]
    [InlineData("{1}", "{2}")]
    [InlineData("a\0", "a")]
    public async Task Accept_AlikeIdentifiers_AreTwo(string one, string other)
    {
        var room = Drafts.NewRoom();

        (await Backplane.AcceptAsync(Drafts.Of(room, 7, one))).Seq.Should().Be(1);
        (await Backplane.AcceptAsync(Drafts.Of(room, 7, other))).Seq.Should().Be(2);
        (await Backplane.AcceptAsync(Drafts.Of(room, 7, one))).Should().Match<Acceptance>(answer => answer.Seq == 1 && answer.IsRepeat);
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_EightAtOnce_GiveEverySeqOnceAndKeepEachOnesOrder()
    {
        const int posters = 8;
        const int each = 100;
        var room = Drafts.NewRoom();
        var heard = new Heard();
        await using var subscription = await Backplane.SubscribeAsync(room, heard);

        var answers = await Task.WhenAll(Enumerable.Range(0, posters).Select(user => Task.Run(async () =>
        {
            // Posted without waiting for the one before, like a client's pipelined frames.
            var posted = Enumerable.Range(0, each).Select(number => Backplane.AcceptAsync(Drafts.Of(room, user + 1, $"m{number}")))
                .ToList();
            return await Task.WhenAll(posted);
        })));

        answers.Should().AllSatisfy(own => own.Select(answer => answer.Seq).Should().BeInAscendingOrder("a caller's order holds"));
        answers.SelectMany(own => own).Select(answer => answer.Seq).Order().Should()
            .Equal(Enumerable.Range(1, posters * each).Select(seq => (long)seq));
        answers.SelectMany(own => own).Select(answer => answer.Epoch).Distinct().Should().ContainSingle();
        (await heard.MessagesAsync(posters * each)).Select(message => message.Seq).Order().Should()
            .Equal(Enumerable.Range(1, posters * each).Select(seq => (long)seq));
        (await Backplane.ReadAsync(room, 0, 2000)).Messages.Select(message => message.Seq).Should()
            .Equal(Enumerable.Range(1, posters * each).Select(seq => (long)seq));
    }

    [Fact(Timeout = Limit)]
    public async Task Accept_OneIdentifierManyTimesAtOnce_IsAcceptedOnce()
    {
        var room = Drafts.NewRoom();

        var answers = await Task.WhenAll(
            Enumerable.Range(0, 50).Select(_ => Task.Run(() => Backplane.AcceptAsync(Drafts.Of(room, 7, "a1")))));

        answers.Should().AllSatisfy(answer => answer.Seq.Should().Be(1));
        answers.Where(answer => !answer.IsRepeat).Should().ContainSingle();
        (await Backplane.ReadAsync(room, 0, 10)).Head.Should().Be(1);
    }

    [Fact(Timeout = Limit)]
    public async Task Read_AfterAndCount_GivesThatPieceInOrderAndTheHead()
    {
        var room = Drafts.NewRoom();
        var epoch = "";
        for (var number = 1; number <= 20; number++)
        {
            epoch = (await Backplane.AcceptAsync(Drafts.Of(room, 7, $"m{number}", origin: (ulong)number))).Epoch;
        }

        var page = await Backplane.ReadAsync(room, 5, 10);

        page.Epoch.Should().Be(epoch);
        page.Head.Should().Be(20);
        page.Messages.Select(message => (message.Seq, message.Epoch, message.Origin))
            .Should().Equal(Enumerable.Range(6, 10).Select(seq => ((long)seq, epoch, (ulong)seq)));
        (await Backplane.ReadAsync(room, 19, 10)).Messages.Should().ContainSingle(message => message.Seq == 20);
        (await Backplane.ReadAsync(room, 20, 10)).Messages.Should().BeEmpty();
        (await Backplane.ReadAsync(room, RoomKey.MaxRoomId, 10)).Messages.Should().BeEmpty();
        (await Backplane.ReadAsync(room, 0, 0)).Should().BeEquivalentTo(new LogPage(epoch, 20, []));
    }

    [Fact(Timeout = Limit)]
    public async Task Read_EmptyRoom_BeginsAnEpochThatStays()
    {
        var room = Drafts.NewRoom();

        var page = await Backplane.ReadAsync(room, 0, 10);

        page.Head.Should().Be(0);
        page.Messages.Should().BeEmpty();
        page.Epoch.Should().MatchRegex("^[a-z0-9]{2,64}$");
        (await Backplane.ReadAsync(room, 0, 10)).Epoch.Should().Be(page.Epoch);
        (await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1")))
            .Should().Match<Acceptance>(answer => answer.Epoch == page.Epoch && answer.Seq == 1);
        (await Backplane.ReadAsync(Drafts.NewRoom(), 0, 0)).Epoch.Should().NotBe(page.Epoch);
    }

    [Fact(Timeout = Limit)]
    public async Task Read_LongLog_HoldsTheNewestThousand()
    {
        var room = Drafts.NewRoom();
        await Task.WhenAll(Enumerable.Range(1, 1500).Select(number => Backplane.AcceptAsync(Drafts.Of(room, 7, $"m{number}"))));

        var page = await Backplane.ReadAsync(room, 500, 2000);

        page.Messages.Select(message => message.Seq).Should().Equal(Enumerable.Range(501, 1000).Select(seq => (long)seq));
        var whole = await Backplane.ReadAsync(room, 0, 2000);
        whole.Messages.Count.Should().BeInRange(1000, 1500);
        whole.Messages.Select(message => message.Seq).Should()
            .Equal(Enumerable.Range((int)whole.Messages[0].Seq, whole.Messages.Count).Select(seq => (long)seq));
    }

    [Theory(Timeout = Limit)]
    [InlineData("hello")]
    [InlineData("ünï 漢字 👩‍👩‍👧‍👦 עברית")]
    [InlineData("quote \" backslash \\ slash / \r\n\t\0 \u2028 </script>")]
    [InlineData("m 1 e 2\nn 3")]
    public async Task Message_AnyText_ArrivesByteForByte(string body)
    {
        var room = Drafts.NewRoom();
        var heard = new Heard();
        await using var subscription = await Backplane.SubscribeAsync(room, heard);
        var draft = Drafts.Of(room, 7, "i\"\\d", body, origin: ulong.MaxValue - 1);

        var answer = await Backplane.AcceptAsync(draft);

        var expected = Encoding.UTF8.GetString(draft.Json.Number(answer.Seq).Span);
        var message = (await heard.MessagesAsync(1)).Should().ContainSingle().Subject;
        Heard.Text(message.Json).Should().Be(expected);
        (message.Seq, message.Epoch, message.Origin).Should().Be((answer.Seq, answer.Epoch, ulong.MaxValue - 1));
        var logged = (await Backplane.ReadAsync(room, 0, 10)).Messages.Should().ContainSingle().Subject;
        Heard.Text(logged.Json).Should().Be(expected);
        logged.Origin.Should().Be(ulong.MaxValue - 1);
        JsonNode.Parse(expected)!["body"]!.GetValue<string>().Should().Be(body);
    }

    [Fact(Timeout = Limit)]
    public async Task Subscribe_Several_HearUntilTheyEnd()
    {
        var room = Drafts.NewRoom();
        var (one, two) = (new Heard(), new Heard());
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "before"));
        var first = await Backplane.SubscribeAsync(room, one);
        await using var second = await Backplane.SubscribeAsync(room, two);
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "both"));
        await one.MessagesAsync(1);

        await first.DisposeAsync();
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "second alone"));

        (await two.MessagesAsync(2)).Select(message => message.Seq).Should().Equal(2, 3);
        one.Messages.Select(message => message.Seq).Should().Equal(2);
    }

    [Fact(Timeout = Limit)]
    public async Task Subscribe_AgainAfterTheEnd_HearsAgain()
    {
        var room = Drafts.NewRoom();
        for (var round = 1; round <= 5; round++)
        {
            var heard = new Heard();
            await using var subscription = await Backplane.SubscribeAsync(room, heard);
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"m{round}"));
            (await heard.MessagesAsync(1)).Select(message => message.Seq).Should().Equal(round);
        }
    }

    [Fact(Timeout = Limit)]
    public async Task NotifyRoom_WithExceptions_BringsThemAndTheSameBytes()
    {
        var (room, other) = (Drafts.NewRoom(), Drafts.NewRoom());
        var (heard, elsewhere) = (new Heard(), new Heard());
        await using var subscription = await Backplane.SubscribeAsync(room, heard);
        await using var foreign = await Backplane.SubscribeAsync(other, elsewhere);
        const string json = "{\"type\":\"x\",\"text\":\"zwei\\nZeilen \\\"ü\\\"\",\"raw\":\"漢\"}";

        await Backplane.NotifyRoomAsync(room, new(7, ulong.MaxValue, Encoding.UTF8.GetBytes(json)));
        await Backplane.NotifyRoomAsync(room, new(0, 0, "{}"u8.ToArray()));
        await Backplane.NotifyRoomAsync(other, new(1, 1, "{}"u8.ToArray()));

        var notices = await heard.NoticesAsync(2);
        notices.Select(notice => (notice.ExceptUserId, notice.ExceptConnection, Heard.Text(notice.Json)))
            .Should().Equal((7, ulong.MaxValue, json), (0, 0UL, "{}"));
        (await elsewhere.NoticesAsync(1)).Should().ContainSingle();
        heard.Messages.Should().BeEmpty();
        (await Backplane.ReadAsync(room, 0, 10)).Head.Should().Be(0, "notices are not stored");
    }

    [Fact(Timeout = Limit)]
    public async Task SubscribeToUser_ReachesTheListenersOfThatUserUntilTheyEnd()
    {
        var user = Drafts.NewRoom().RoomId;
        var (mine, others) = (new ConcurrentQueue<string>(), new ConcurrentQueue<string>());
        var subscription = await Backplane.SubscribeToUserAsync(user, json => mine.Enqueue(Heard.Text(json)));
        await using var other = await Backplane.SubscribeToUserAsync(user + 1_000_000, json => others.Enqueue(Heard.Text(json)));

        await TellUserAsync(user, "{\"type\":\"a\",\"x\":\"é\"}"u8.ToArray());
        await Eventually.TrueAsync(() => mine.Count == 1, TimeSpan.FromSeconds(5), () => "the user heard nothing");
        await subscription.DisposeAsync();
        await TellUserAsync(user, "{\"type\":\"b\"}"u8.ToArray());
        await TellUserAsync(user + 1_000_000, "{\"type\":\"c\"}"u8.ToArray());
        await Eventually.TrueAsync(() => !others.IsEmpty, TimeSpan.FromSeconds(5), () => "the other user heard nothing");

        mine.Should().Equal("{\"type\":\"a\",\"x\":\"é\"}");
        others.Should().Equal("{\"type\":\"c\"}");
    }

    [Fact(Timeout = Limit)]
    public async Task Companies_WithEqualRoomIds_HaveNothingInCommon()
    {
        var room = Drafts.NewRoom();
        var twin = room with { CompanyId = room.CompanyId + 1 };
        var (heard, twinHeard) = (new Heard(), new Heard());
        await using var subscription = await Backplane.SubscribeAsync(room, heard);
        await using var twinSubscription = await Backplane.SubscribeAsync(twin, twinHeard);

        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1", "ours"));
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a2", "ours"));
        (await Backplane.AcceptAsync(Drafts.Of(twin, 7, "a1", "theirs")))
            .Should().Match<Acceptance>(answer => answer.Seq == 1 && !answer.IsRepeat);
        await Backplane.NotifyRoomAsync(twin, new(0, 0, "{}"u8.ToArray()));

        await twinHeard.NoticesAsync(1);
        await heard.MessagesAsync(2);
        Bodies(heard.Messages).Should().Equal("ours", "ours");
        Bodies(twinHeard.Messages).Should().Equal("theirs");
        heard.Notices.Should().BeEmpty();
        Bodies((await Backplane.ReadAsync(twin, 0, 10)).Messages).Should().Equal("theirs");
        (await Backplane.ReadAsync(room, 0, 0)).Epoch.Should().NotBe((await Backplane.ReadAsync(twin, 0, 0)).Epoch);
    }

    private static IEnumerable<string> Bodies(IEnumerable<RelayedMessage> messages) =>
        messages.Select(message => JsonDocument.Parse(message.Json).RootElement.GetProperty("body").GetString()!);
}
