using System.Text.Json.Nodes;
using ChatServer.Backplane;
using ChatServer.Outbox;
using ChatServer.Protocol;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Outbox;

/// <summary>What holds for every outbox and the backplane that fills it.</summary>
public abstract class OutboxContract
{
    private protected const int Limit = 30_000;

    private protected abstract IBackplane Backplane { get; }

    private protected abstract IOutbox Outbox { get; }

    private protected abstract int PartitionOf(RoomKey room);

    [Fact(Timeout = Limit)]
    public async Task Read_AcceptedMessages_AreThereInOrderWithTokenAndSeq()
    {
        var room = Drafts.NewRoom();
        var partition = PartitionOf(room);
        for (var number = 1; number <= 3; number++)
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{number}", "b\"ü\n", token: $"rest-{number}"));
        }

        await Backplane.AcceptAsync(Drafts.Of(room, 7, "a1"));
        var entries = await OfAsync(room);

        entries.Select(entry => entry.TokenKey).Should().Equal("rest-1", "rest-2", "rest-3");
        var logged = (await Backplane.ReadAsync(room, 0, 10)).Messages;
        entries.Select(entry => Heard.Text(entry.Message)).Should().Equal(logged.Select(message => Heard.Text(message.Json)));
        StoredMessage.Read(entries[1].Message.Span).Should().Be(
            new StoredMessage("chat", room.RoomId, 2, "a2", 7, room.CompanyId, "b\"ü\n", "2026-01-01T10:00:00.000Z"));
        JsonNode.Parse(entries[2].Message.Span)!["seq"]!.GetValue<long>().Should().Be(3);
        partition.Should().BeInRange(0, Outbox.Partitions - 1);
    }

    [Fact(Timeout = Limit)]
    public async Task Read_AfterAndCount_GoesThroughPageByPage()
    {
        var room = Drafts.NewRoom();
        for (var number = 1; number <= 10; number++)
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{number}"));
        }

        var seen = new List<string>();
        for (var after = ""; ;)
        {
            var page = await Outbox.ReadAsync(PartitionOf(room), after, 3);
            page.Count.Should().BeLessThanOrEqualTo(3);
            if (page.Count == 0)
            {
                break;
            }

            after = page[^1].Id;
            seen.AddRange(page.Select(entry => StoredMessage.Read(entry.Message.Span)).Where(
                message => message.Room == room).Select(message => message.Identifier));
        }

        seen.Should().Equal(Enumerable.Range(1, 10).Select(number => $"a{number}"));
    }

    [Fact(Timeout = Limit)]
    public async Task Remove_TakesOneAndLeavesTheRest()
    {
        var room = Drafts.NewRoom();
        for (var number = 1; number <= 3; number++)
        {
            await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{number}"));
        }

        var entries = await OfAsync(room);
        await Outbox.RemoveAsync(PartitionOf(room), entries[1].Id);
        await Outbox.RemoveAsync(PartitionOf(room), entries[1].Id);

        (await OfAsync(room)).Select(entry => entry.Id).Should().Equal(entries[0].Id, entries[2].Id);
    }

    [Fact(Timeout = Limit)]
    public async Task Listen_OutboxFillsAndIsEmptiedAgain_TellsEachTime()
    {
        var room = Drafts.NewRoom();
        var partition = PartitionOf(room);
        await EmptyAsync(partition);
        var calls = 0;
        await using (await Outbox.ListenAsync(filled => Interlocked.Add(ref calls, filled == partition ? 1 : 0)))
        {
            for (var round = 1; round <= 3; round++)
            {
                await Backplane.AcceptAsync(Drafts.Of(room, 7, $"a{round}"));
                await Eventually.TrueAsync(
                    () => Volatile.Read(ref calls) >= round, TimeSpan.FromSeconds(5), () => $"round {round} was not told");
                await EmptyAsync(partition);
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

    private protected async Task<IReadOnlyList<OutboxEntry>> OfAsync(RoomKey room) =>
        [.. (await Outbox.ReadAsync(PartitionOf(room), "", 1000)).Where(entry => StoredMessage.Read(entry.Message.Span).Room == room)];

    private async Task EmptyAsync(int partition)
    {
        foreach (var entry in await Outbox.ReadAsync(partition, "", 1000))
        {
            await Outbox.RemoveAsync(partition, entry.Id);
        }
    }
}
