using System.Collections.Concurrent;
using ChatServer.Backplane;
using ChatServer.Quantum;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

/// <summary>Quantum takes long to say who is in a room, or never says it.</summary>
public sealed class SlowQuantumTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Fact]
    public async Task Who_waits_for_Quantum_chats_on_elsewhere_and_is_not_taken_for_dead()
    {
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url, ("PING_INTERVAL", "1"), ("PONG_TIMEOUT", "1"));
        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(41), 900);
        Hang(quantum, TimeSpan.FromSeconds(5));

        await peer.SendAsync(new { type = "join", room_id = 901 });
        await peer.ChatAsync(901, "a1", "first of all");
        var began = TimeProvider.System.GetTimestamp();
        for (var number = 1; number <= 4; number++)
        {
            await peer.SayAsync(900, $"b{number}");
            await Task.Delay(1000);
        }

        TimeProvider.System.GetElapsedTime(began).Should().BeLessThan(TimeSpan.FromSeconds(5));
        (await peer.NextAsync("joined")).Number("room_id").Should().Be(901);
        (await peer.NextAsync("ack")).Text("identifier").Should().Be("a1");
    }

    [Fact]
    public async Task Who_waits_with_the_first_frame_is_not_taken_for_dead()
    {
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url, ("PING_INTERVAL", "1"), ("PONG_TIMEOUT", "1"));
        Hang(quantum, TimeSpan.FromSeconds(5));

        await using var peer = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(42), 902);

        (await peer.SayAsync(902, "a1")).Number("seq").Should().Be(1);
    }

    /// <summary>Sixteen questions at a time, four of one user: nobody fails because others ask.</summary>
    [Fact]
    public async Task A_crowd_that_comes_back_gets_into_all_its_rooms_and_Quantum_gets_a_few_questions_at_a_time()
    {
        const int clients = 20;
        const int rooms = 150;
        await using var quantum = await QuantumServer.StartAsync();
        var (now, most) = (0, 0);
        var (perUser, mostOfOne) = (new ConcurrentDictionary<string, int>(), 0);
        quantum.InsteadOfMembers = async context =>
        {
            var user = context.Request.Headers.Authorization.ToString();
            var (mine, all) = (perUser.AddOrUpdate(user, 1, (_, count) => count + 1), Interlocked.Increment(ref now));
            mostOfOne = Math.Max(mostOfOne, mine);
            most = Math.Max(most, all);
            await Task.Delay(5);
            Interlocked.Decrement(ref now);
            perUser.AddOrUpdate(user, 0, (_, count) => count - 1);
            return false;
        };
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url);

        // Behind the first probe of the node's subscriptions nothing is asked for again.
        var isHeard = new TaskCompletionSource();
        node.Services.GetRequiredService<IBackplane>().WhenRestored(() => isHeard.TrySetResult());
        await Task.WhenAny(isHeard.Task, Task.Delay(TimeSpan.FromSeconds(3)));

        // Half of each user's rooms are its own, the others are everybody's.
        await Task.WhenAll(Enumerable.Range(1, clients).Select(async user =>
        {
            var mine = Enumerable.Range(1, rooms).Select(room => room % 2 == 0 ? 20_000L + room : 30_000L + (user * 1000) + room).ToArray();
            await using var peer = await ChatPeer.OpenAsync(node.Url);
            await peer.SendAsync(new
            {
                type = "auth", token = await chat.Sessions.LoginAsync(user), rooms = mine.Select(room => new { room_id = room }),
            });
            (await peer.NextAsync("auth")).Numbers("rooms").Should().HaveCount(rooms);
        })).WaitAsync(TimeSpan.FromSeconds(60));

        quantum.MemberCalls.Should().Be((clients * rooms / 2) + (rooms / 2), "those who wait for one room share a question");
        most.Should().BeLessThanOrEqualTo(QuantumOptions.QuestionsAtOnce);
        mostOfOne.Should().BeLessThanOrEqualTo(QuantumOptions.QuestionsAtOncePerToken);
    }

    [Fact]
    public async Task A_Quantum_that_hangs_is_left_alone_until_it_answers_again()
    {
        await using var quantum = await QuantumServer.StartAsync();
        Hang(quantum, TimeSpan.FromSeconds(30));
        await using var node = await TestNode.StartAsync(chat.Redis, quantum.Url, ("QUANTUM_TIMEOUT", "1"));
        await Task.WhenAll(Enumerable.Range(51, 10).Select(async user =>
        {
            await using var peer = await ChatPeer.OpenAsync(node.Url);
            await peer.SendAsync(new
            {
                type = "auth", token = await chat.Sessions.LoginAsync(user),
                rooms = Enumerable.Range(1, 100).Select(room => new { room_id = (user * 1000) + room }),
            });
            (await peer.NextAsync("auth")).Numbers("rooms").Should().BeEmpty();
        })).WaitAsync(TimeSpan.FromSeconds(20));

        quantum.MemberCalls.Should().BeLessThan(100, "a thousand would wait in vain");
        node.Log.All.Should().Contain(line => line.Contains("[700]"));
        quantum.InsteadOfMembers = _ => Task.FromResult(false);
        await using var back = await ChatPeer.LoginAsync(node.Url, await chat.Sessions.LoginAsync(61));
        for (var code = "unavailable"; code == "unavailable";)
        {
            await back.SendAsync(new { type = "join", room_id = 961 });
            code = (await back.NextAsync()).Text("code");
            await Task.Delay(200);
        }

        node.Log.All.Should().Contain(line => line.Contains("[701]"));
    }

    private static void Hang(QuantumServer quantum, TimeSpan time) => quantum.InsteadOfMembers = async context =>
    {
        await Task.Delay(time, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        return context.RequestAborted.IsCancellationRequested;
    };
}
