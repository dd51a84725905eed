using System.Globalization;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.EndToEnd;

public sealed class ManyClientsTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    private const int Rooms = 5;
    private const int Clients = 20;
    private const int MessagesEach = 50;

    [Fact]
    public async Task A_thousand_messages_of_twenty_clients_on_two_nodes_reach_every_member_in_order_and_are_saved_once_each()
    {
        await using var second = await chat.StartNodeAsync();
        var peers = new List<(ChatPeer Peer, long User, long Room)>();
        for (var user = 1; user <= Clients; user++)
        {
            var room = 100 + (user % Rooms);
            var node = (user / Rooms) % 2 == 0 ? chat.Node : second;
            peers.Add((await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(user), room), user, room));
        }

        await Task.WhenAll(peers.Select(async member =>
        {
            for (var number = 1; number <= MessagesEach; number++)
            {
                await member.Peer.ChatAsync(member.Room, $"u{member.User}n{number}", $"{member.User} says {number}");
            }
        }));
        var streams = await Task.WhenAll(peers.Select(
            async member => (member.User, member.Room, Seen: await CollectAsync(member.Peer, MessagesEach * Clients / Rooms))));

        foreach (var room in streams.GroupBy(stream => stream.Room))
        {
            var whole = room.First().Seen.Select(message => message.Identifier).ToList();
            whole.Should().OnlyHaveUniqueItems().And.HaveCount(MessagesEach * Clients / Rooms);
            foreach (var (user, _, seen) in room)
            {
                seen.Select(message => message.Seq).Should()
                    .Equal(Enumerable.Range(1, seen.Count).Select(seq => (long)seq), "user {0} gets each seq once, in order", user);
                seen.Select(message => message.Identifier).Should().Equal(whole, "every member sees the same conversation");
                foreach (var sender in seen.GroupBy(message => message.Identifier.Split('n')[0]))
                {
                    sender.Select(message => int.Parse(message.Identifier.Split('n')[1], CultureInfo.InvariantCulture)).Should()
                        .BeInAscendingOrder("a sender's order holds");
                }
            }
        }

        var saved = await chat.Quantum.WaitForSavedAsync(Clients * MessagesEach, TimeSpan.FromSeconds(30));
        saved.Should().HaveCount(Clients * MessagesEach);
        foreach (var room in saved.GroupBy(call => call.Room))
        {
            room.Select(call => call.Identifier).Should().Equal(
                streams.First(stream => stream.Room == room.Key).Seen.Select(message => message.Identifier),
                "Quantum has the room's messages in seq order");
        }

        chat.Quantum.Calls.Should().HaveCount(Clients * MessagesEach, "no save was repeated without need");
        foreach (var (peer, _, _) in peers)
        {
            await peer.DisposeAsync();
        }
    }

    /// <summary>A member's view of its room: messages of others as they come, the own ones by their acks.</summary>
    private static async Task<List<(long Seq, string Identifier)>> CollectAsync(ChatPeer peer, int count)
    {
        var seen = new List<(long, string)>();
        while (seen.Count < count)
        {
            var frame = await peer.NextAsync();
            switch (frame["type"]!.GetValue<string>())
            {
                case "ack":
                    seen.Add((frame["seq"]!.GetValue<long>(), frame["identifier"]!.GetValue<string>()));
                    break;
                case "chat":
                    seen.AddRange(frame["messages"]!.AsArray().Select(
                        message => (message!["seq"]!.GetValue<long>(), message["identifier"]!.GetValue<string>())));
                    break;
            }
        }

        return seen;
    }
}
