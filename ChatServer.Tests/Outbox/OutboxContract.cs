using System.Globalization;
using ChatServer.Backplane;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Outbox.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Outbox;

/// <summary>What holds for every outbox and the backplane that fills it.</summary>
public abstract class OutboxContract
{
    private protected const int Limit = 30_000;

    private protected abstract IBackplane Backplane { get; }

    private protected abstract IOutbox Outbox { get; }

    private protected abstract int LaneOf(RoomKey room);

    [Fact(Timeout = Limit)]
    public async Task Settle_ReadOn_GivesAcceptedMessagesInOrderAsTheyWereRelayed()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 3, body: "b\"ü\n");
        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));

        var unsaved = await Outbox.UnsavedOfAsync(room);

        var logged = (await Backplane.ReadAsync(room, 0, 10)).Messages;
        unsaved.Select(pending => Heard.Text(pending.Json)).Should().Equal(logged.Select(message => Heard.Text(message.Json)));
        unsaved.Select(pending => pending.Seq).Should().Equal(1, 2, 3);
        unsaved[1].Message.Should().Be(
            new StoredMessage("chat", room.RoomId, 2, "a2", 7, room.CompanyId, "b\"ü\n", "2026-01-01T10:00:00.000Z"));
        (await Outbox.UnsavedOfAsync(room)).Select(pending => pending.Place).Should().Equal(
            unsaved.Select(pending => pending.Place), "reading changes nothing");
    }

    [Fact(Timeout = Limit)]
    public async Task Unsaved_RoomsThatHaveSomething_ThoseThatHaveHadItForLongestFirst()
    {
        var (first, second) = (Drafts.NewRoom(), Drafts.NewRoom());
        await AcceptAsync(first, 1);
        await Task.Delay(5);
        await AcceptAsync(second, 1);
        await AcceptAsync(first, 2, from: 1);

        var rooms = await UnsavedAsync(first, second);

        rooms.Select(unsaved => unsaved.Room).Should().Equal(first, second);
        rooms[1].Since.Should().BeGreaterThan(rooms[0].Since)
            .And.BeCloseTo(TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds(), 10_000);
        await Outbox.SettleAsync(first, 3);
        (await UnsavedAsync(first, second)).Select(unsaved => unsaved.Room).Should().Equal(second);
        await Task.Delay(5);
        await AcceptAsync(first, 1, from: 3);
        (await UnsavedAsync(first, second)).Select(unsaved => unsaved.Room).Should().Equal(second, first);
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_SomeOfThem_TheNextOnesFollow()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 5);

        var page = await Outbox.SettleAsync(room, 2, readOn: true);

        page.Messages.Select(pending => pending.Seq).Should().Equal(3, 4, 5);
        (await Outbox.SettleAsync(room, 1)).Messages.Should().BeEmpty("it was not asked to read on");
        (await Outbox.UnsavedOfAsync(room)).Select(pending => pending.Seq).Should().Equal(4, 5);
        var before = (await UnsavedAsync(room)).Single().Since;
        await Task.Delay(5);
        await Outbox.SettleAsync(room, 0);
        (await UnsavedAsync(room)).Single().Since.Should().Be(before);
        await Outbox.SettleAsync(room, 1);
        (await UnsavedAsync(room)).Single().Since.Should().BeGreaterThan(before, "it has got somewhere");
        (await Outbox.SettleAsync(room, 1, readOn: true)).Messages.Should().BeEmpty();
        (await UnsavedAsync(room)).Should().BeEmpty();
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_WhatIsSettledAlready_HasNoEffect()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 4);
        var before = (await Outbox.SizeAsync()).Dead;
        var page = await Outbox.SettleAsync(room, new(""), readOn: true);
        var (two, three) = (new Settlement(page.Epoch), new Settlement(page.Epoch));
        two.Add(page.Messages[1], "no");
        three.Add(page.Messages[2], null);

        await Outbox.SettleAsync(room, three, readOn: false);
        await Outbox.SettleAsync(room, two, readOn: false);

        (await Outbox.UnsavedOfAsync(room)).Select(pending => pending.Seq).Should().Equal(4);
        (await Outbox.SizeAsync()).Dead.Should().Be(before, "Quantum has it");
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_Refused_AreDeadLettersOnce()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 4);
        var before = await Outbox.SizeAsync();
        var page = await Outbox.SettleAsync(room, new(""), readOn: true);
        var done = new Settlement(page.Epoch);
        done.Add(page.Messages[0], "no");
        done.Add(page.Messages[1], null);
        done.Add(page.Messages[2], "nor that");

        await Outbox.SettleAsync(room, done, readOn: false);
        await Outbox.SettleAsync(room, done, readOn: false);

        var after = await Outbox.SizeAsync();
        (after.Dead - before.Dead).Should().Be(2);
        (before.Waiting - after.Waiting).Should().Be(3);
        (await Outbox.UnsavedOfAsync(room)).Select(pending => pending.Seq).Should().Equal(4);
    }

    [Fact(Timeout = Limit)]
    public async Task Settle_LargeMessages_ComeFewAtATime()
    {
        var room = Drafts.NewRoom();
        await AcceptAsync(room, 20, body: new('x', 30_000));
        var seen = new List<long>();

        for (var page = await Outbox.SettleAsync(room, 0, readOn: true); page.Messages.Count > 0;
             page = await Outbox.SettleAsync(room, page.Messages.Count, readOn: true))
        {
            page.Messages.Sum(pending => pending.Json.Length).Should().BeLessThan(OutboxOptions.PageBytes + (5 * 31_000));
            seen.AddRange(page.Messages.Select(pending => pending.Seq));
        }

        seen.Should().Equal(Enumerable.Range(1, 20).Select(seq => (long)seq));
    }

    [Fact(Timeout = Limit)]
    public async Task Listen_NothingToSaveAndThenSomething_TellsEachTime()
    {
        var room = Drafts.NewRoom();
        await EmptyAsync(room);
        var calls = 0;
        await using (await Outbox.ListenAsync(
            (lane, filled) => Interlocked.Add(ref calls, lane == LaneOf(room) && filled == room ? 1 : 0), () => { }))
        {
            for (var round = 1; round <= 3; round++)
            {
                await AcceptAsync(room, 1, from: round - 1);
                await Eventually.TrueAsync(
                    () => Volatile.Read(ref calls) >= round, TimeSpan.FromSeconds(5), () => $"round {round} was not told");
                await EmptyAsync(room);
            }
        }
    }

    [Fact(Timeout = Limit)]
    public async Task Lease_OneNode_HasAndKeepsIt()
    {
        (await Outbox.TryLeaseAsync(0)).Should().BeTrue();
        (await Outbox.TryLeaseAsync(0)).Should().BeTrue("a lease can be renewed");
        await Outbox.ReleaseAsync(0);
        (await Outbox.TryLeaseAsync(0)).Should().BeTrue();
        await Outbox.ReleaseAsync(0);
    }

    /// <summary>A user says a1, a2 and so on.</summary>
    private protected async Task AcceptAsync(RoomKey room, int count, string body = "hello", int from = 0)
    {
        for (var number = from + 1; number <= from + count; number++)
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, string.Create(CultureInfo.InvariantCulture, $"a{number}"), body));
        }
    }

    /// <summary>Which of some rooms have something to save.</summary>
    private protected async Task<IReadOnlyList<UnsavedRoom>> UnsavedAsync(params RoomKey[] rooms)
    {
        var all = new List<UnsavedRoom>();
        foreach (var lane in rooms.Select(LaneOf).Distinct())
        {
            all.AddRange(await Outbox.UnsavedAsync(lane));
        }

        return [.. all.Where(unsaved => rooms.Contains(unsaved.Room)).OrderBy(unsaved => unsaved.Since)];
    }

    private async Task EmptyAsync(RoomKey room) => await Outbox.SettleAsync(room, int.MaxValue);
}
