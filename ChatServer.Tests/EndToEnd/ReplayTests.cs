using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Rooms;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

public sealed class ReplayTests(TwoNodes chat) : IClassFixture<TwoNodes>
{
    /// <summary>All messages of a run lie in the room's log, which holds 1,000 at least.</summary>
    private const int Senders = 4;
    private const int MessagesEach = 200;

    [Fact]
    public async Task What_was_missed_comes_after_joined_in_order_on_any_node_own_messages_too()
    {
        await using var writer = await LoginAsync(chat.Node, 1, 400);
        string epoch;
        await using (var reader = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(2)))
        {
            epoch = (await JoinAsync(reader, 400)).Text("epoch")!;
            await writer.SayAsync(400, "seen");
            await reader.UntilMessageAsync("seen");
            await reader.SayAsync(400, "own");
        }

        await writer.SayAsync(400, "missed");
        foreach (var (node, head) in new[] { (chat.Node, 3), (chat.Second, 4) })
        {
            await using var back = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(2));
            var joined = await JoinAsync(back, 400, 1, epoch);
            joined.Flag("recovered").Should().BeTrue();
            joined.Number("seq").Should().Be(head);
            joined.Text("epoch").Should().Be(epoch);
            (await MessagesAsync(back, head - 1)).Take(2).Should().Equal((2, "own"), (3, "missed"));
            var live = $"live {node.Port}";
            var seq = (await writer.SayAsync(400, live)).Number("seq");
            (await back.UntilMessageAsync(live)).Should().ContainSingle("nothing comes twice").Which.Messages().Single().Number("seq")
                .Should().Be(seq);
        }
    }

    [Fact]
    public async Task Whoever_missed_nothing_recovers_with_nothing()
    {
        await using var writer = await LoginAsync(chat.Node, 1, 401);
        await using var reader = await LoginAsync(chat.Second, 2);
        var epoch = (await JoinAsync(reader, 401)).Text("epoch")!;
        await using var atStart = await LoginAsync(chat.Second, 3);
        (await JoinAsync(atStart, 401, 0, epoch)).Flag("recovered").Should().BeTrue("nothing of nothing was missed");

        await writer.SayAsync(401, "one");
        await using var back = await LoginAsync(chat.Second, 4);
        var joined = await JoinAsync(back, 401, 1, epoch);
        joined.Flag("recovered").Should().BeTrue();
        joined.Number("seq").Should().Be(1);
        await writer.SayAsync(401, "two");
        (await back.UntilMessageAsync("two")).Should().ContainSingle();
    }

    [Fact]
    public async Task Without_the_right_epoch_or_with_a_seq_that_never_was_it_is_a_fresh_view()
    {
        await using var writer = await LoginAsync(chat.Node, 1, 402);
        await writer.SayAsync(402, "one");
        var epoch = await EpochAsync(402);
        foreach (var (since, told) in new (long?, string?)[] { (null, null), (null, epoch), (0, null), (0, "other"), (2, epoch),
            (9007199254740991, epoch) })
        {
            await using var reader = await LoginAsync(chat.Second, 2);
            var joined = await JoinAsync(reader, 402, since, told);
            joined.Flag("recovered").Should().BeFalse("since is {0} and epoch {1}", since, told);
            joined.Number("seq").Should().Be(1);
            joined.Text("epoch").Should().Be(epoch);
            (await reader.DrainAsync()).Where(frame => frame.Type() == "chat").Should().BeEmpty();
        }
    }

    [Fact]
    public async Task Messages_no_longer_held_can_not_be_recovered_but_the_newest_thousand_can()
    {
        await using var writer = await LoginAsync(chat.Node, 1, 403);
        var epoch = await EpochAsync(403);
        const int count = 1500;
        for (var number = 1; number <= count; number++)
        {
            await writer.ChatAsync(403, $"{number}", "x");
        }

        await writer.UntilAsync(frame => frame.Type() == "ack" && frame.Text("identifier") == $"{count}");
        await chat.Chat.Quantum.WaitForSavedAsync(count, TimeSpan.FromSeconds(60));
        await using var tooOld = await LoginAsync(chat.Second, 2);
        (await JoinAsync(tooOld, 403, 1, epoch)).Flag("recovered").Should().BeFalse();

        await using var inTime = await LoginAsync(chat.Second, 3);
        (await JoinAsync(inTime, 403, count - 1000, epoch)).Flag("recovered").Should().BeTrue();
        (await MessagesAsync(inTime, 1000)).Select(message => message.Seq).Should()
            .Equal(Enumerable.Range(count - 1000 + 1, 1000).Select(seq => (long)seq));
    }

    [Fact]
    public async Task While_Quantum_is_away_a_log_holds_more_than_a_returning_client_is_sent()
    {
        const int beyond = RoomOptions.MaxReplayMessages + 100;
        chat.Chat.Quantum.Instead = (_, context) =>
        {
            context.Response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return Task.FromResult(true);
        };
        var room = new RoomKey(TestSessions.Company, 408);
        var backplane = chat.Node.Services.GetRequiredService<IBackplane>();
        await Task.WhenAll(Enumerable.Range(1, beyond).Select(number => backplane.AcceptAsync(Drafts.Of(room, 1, $"{number}"))));
        var epoch = (await backplane.ReadAsync(room, 0, 0)).Epoch;

        await using var tooOld = await LoginAsync(chat.Second, 2);
        (await JoinAsync(tooOld, 408, 99, epoch)).Flag("recovered").Should().BeFalse();
        await using var inTime = await LoginAsync(chat.Second, 3);
        (await JoinAsync(inTime, 408, 100, epoch)).Flag("recovered").Should().BeTrue();
        (await MessagesAsync(inTime, RoomOptions.MaxReplayMessages)).Select(message => message.Seq).Should()
            .Equal(Enumerable.Range(101, RoomOptions.MaxReplayMessages).Select(seq => (long)seq));
        chat.Chat.Quantum.Instead = (_, _) => Task.FromResult(false);
    }

    [Fact]
    public async Task What_a_lost_subscription_did_not_bring_comes_once_and_in_order_also_to_one_who_had_it_already()
    {
        const int lost = 10;
        await using var writer = await LoginAsync(chat.Node, 1, 404);
        await using var reader = await LoginAsync(chat.Second, 2, 404);
        var epoch = await EpochAsync(404);
        for (var round = 0; round < 3; round++)
        {
            var head = round * (lost + 1);
            await chat.Chat.Connection.GetServers()[0].ExecuteAsync("CLIENT", "KILL", "TYPE", "pubsub");
            for (var number = head + 1; number <= head + lost; number++)
            {
                (await writer.SayAsync(404, $"{number}")).Number("seq").Should().Be(number);
            }

            await using var newcomer = await LoginAsync(chat.Second, 3);
            (await JoinAsync(newcomer, 404, head + lost, epoch)).Flag("recovered").Should().BeTrue();

            // Once the subscription is back, the next message shows what is missing.
            await Eventually.TrueAsync(
                () => chat.Second.Log.All.Count(line => line.Contains("The Subscription connection", StringComparison.Ordinal)) > round,
                ChatPeer.Patience, () => "the subscription is to come back");
            await writer.SayAsync(404, $"{head + lost + 1}");
            (await newcomer.UntilMessageAsync($"{head + lost + 1}")).SelectMany(frame => frame.Messages())
                .Select(message => message.Number("seq"))
                .Should().Equal([head + lost + 1], "it has seen the others");
            (await MessagesAsync(reader, lost + 1)).Select(message => message.Seq).Should().Equal(
                Enumerable.Range(head + 1, lost + 1).Select(seq => (long)seq));
        }
    }

    [Fact]
    public async Task A_client_that_comes_and_goes_while_others_send_at_full_speed_sees_each_message_once_and_in_order() =>
        await WanderAsync(seed: 1);

    /// <summary>The same under other seeds: CHAT_TEST_SEEDS=20 runs twenty.</summary>
    [Fact]
    public async Task So_it_is_under_more_seeds()
    {
        var seeds = int.TryParse(Environment.GetEnvironmentVariable("CHAT_TEST_SEEDS"), out var count) ? count : 2;
        for (var seed = 2; seed < 2 + seeds; seed++)
        {
            await WanderAsync(seed);
        }
    }

    private async Task WanderAsync(int seed)
    {
        var random = new Random(seed);
        var room = 4000 + seed;
        var epoch = await EpochAsync(room);
        var senders = new List<ChatPeer>();
        for (var number = 0; number < Senders; number++)
        {
            senders.Add(await LoginAsync(number % 2 == 0 ? chat.Node : chat.Second, 10 + number, room));
        }

        var sending = Task.WhenAll(senders.Select((peer, number) => SendAsync(peer, room, $"s{number}")));
        var seen = new List<long>();
        var visits = 0;
        while (seen.Count < Senders * MessagesEach)
        {
            visits++;
            await using var reader = await LoginAsync(random.Next(2) == 0 ? chat.Node : chat.Second, 20);
            var since = seen.Count == 0 ? 0 : seen[^1];
            (await JoinAsync(reader, room, since, epoch)).Flag("recovered").Should()
                .BeTrue("seed {0}, visit {1}, since {2}", seed, visits, since);
            for (var stay = random.Next(1, 60); stay > 0 && seen.Count < Senders * MessagesEach;)
            {
                foreach (var message in (await reader.FindAsync("chat")).Messages())
                {
                    message.Number("seq").Should().Be(seen.Count + 1, "seed {0}, visit {1}, since {2}", seed, visits, since);
                    seen.Add(message.Number("seq"));
                    stay--;
                }
            }

            reader.Socket.Abort();
        }

        await sending;
        seen.Should().HaveCount(Senders * MessagesEach, "each is there once");
        foreach (var peer in senders)
        {
            await peer.DisposeAsync();
        }
    }

    private static async Task SendAsync(ChatPeer peer, long room, string name)
    {
        const int window = 20;
        for (var number = 0; number < MessagesEach; number++)
        {
            await peer.ChatAsync(room, $"{name}n{number}", new string('x', number + 1));
            if (number % window == window - 1)
            {
                await peer.UntilAsync(frame => frame.Type() == "ack" && frame.Text("identifier") == $"{name}n{number}");
            }
        }
    }

    private async Task<ChatPeer> LoginAsync(TestNode node, long user, params long[] rooms) =>
        await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), rooms);

    private async Task<string> EpochAsync(long room)
    {
        await using var peer = await LoginAsync(chat.Node, 30);
        return (await JoinAsync(peer, room)).Text("epoch")!;
    }

    private static async Task<System.Text.Json.Nodes.JsonObject> JoinAsync(
        ChatPeer peer, long room, long? since = null, string? epoch = null)
    {
        await peer.SendAsync(new { type = "join", room_id = room, since, epoch });
        return (await peer.UntilAsync(frame => frame.Type() == "joined"))[^1];
    }

    private static async Task<List<(long Seq, string Identifier)>> MessagesAsync(ChatPeer peer, int count)
    {
        var seen = new List<(long, string)>();
        while (seen.Count < count)
        {
            seen.AddRange(
                (await peer.FindAsync("chat")).Messages().Select(message => (message.Number("seq"), message.Text("identifier")!)));
        }

        return seen;
    }
}
