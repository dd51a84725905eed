using ChatServer.Operations;
using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.EndToEnd;

/// <summary>What Quantum refuses is kept for an operator, and holds up nobody.</summary>
public sealed class DeadLetterTests(ChatFixture chat) : IClassFixture<ChatFixture>
{
    [Fact]
    public async Task A_refused_message_is_listed_with_its_reason_and_can_be_retried_or_dropped()
    {
        await using var peer = await ChatPeer.LoginAsync(chat.Node.Url, await chat.Sessions.LoginAsync(41), 850);
        chat.Quantum.Instead = async (call, context) =>
        {
            if (!call.Identifier.StartsWith("bad", StringComparison.Ordinal))
            {
                return false;
            }

            await context.Response.WriteAsJsonAsync(new { success = false, message = "not in this tone" });
            return true;
        };
        await peer.ChatAsync(850, "bad-1", "one");
        await peer.ChatAsync(850, "bad-2", "two");
        await peer.ChatAsync(850, "good", "three");
        await peer.ToldAsync("info_chat");

        var (code, listed) = await CommandAsync("list");
        code.Should().Be(0);
        listed.Should().Contain("bad-1").And.Contain("bad-2").And.Contain("not in this tone").And.Contain("2 dead letters");
        (await new HttpClient().GetStringAsync(new Uri(chat.Node.Http, "/metrics"))).Should().Contain("\nchatserver_dead_letters 2\n");
        (await new HttpClient().GetStringAsync(new Uri(chat.Node.Http, "/readyz"))).Should().Contain("2 dead letters");

        (await CommandAsync("drop", "bad-2", "unknown")).Should().Be((1, "There is no dead letter unknown.\n1 dropped\n"));
        chat.Quantum.Instead = (_, _) => Task.FromResult(false);
        (await CommandAsync("retry")).Should().Be((0, "1 retried\n"));
        await chat.Quantum.WaitForSavedAsync(2);

        chat.Quantum.Saved.Select(call => call.Identifier).Should().Equal("good", "bad-1");
        (await CommandAsync("list")).Should().Be((0, "0 dead letters\n"));
    }

    [Fact]
    public async Task A_message_that_fails_while_others_are_saved_becomes_a_dead_letter_and_its_room_goes_on()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(redis, quantum.Url, ("SAVE_ATTEMPTS", "5"));
        var sessions = new TestSessions(connection);
        await using var unlucky = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(42), 851);
        await using var lucky = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(43), 852);
        quantum.Instead = (call, context) =>
        {
            var isPoison = call.Identifier == "poison";
            context.Response.StatusCode = isPoison ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
            return Task.FromResult(isPoison);
        };
        await unlucky.ChatAsync(851, "poison", "\u0000");
        await unlucky.ChatAsync(851, "after", "still here");
        var talking = Task.Run(async () =>
        {
            for (var number = 1; number <= 60 && !quantum.Saved.Any(call => call.Identifier == "after"); number++)
            {
                await lucky.ChatAsync(852, $"l{number}", "hello");
                await Task.Delay(500);
            }
        });

        await Eventually.TrueAsync(
            () => quantum.Saved.Any(call => call.Identifier == "after"), TimeSpan.FromSeconds(30), () => "the room goes on");

        (await unlucky.ToldAsync("info"))["code"]!.GetValue<string>().Should().Be("not_saved");
        await talking;
    }

    [Fact]
    public async Task A_message_that_is_throttled_again_and_again_is_saved_in_the_end()
    {
        await using var redis = await RedisServer.StartAsync();
        await using var connection = await redis.ConnectAsync();
        await using var quantum = await QuantumServer.StartAsync();
        await using var node = await TestNode.StartAsync(redis, quantum.Url, ("SAVE_ATTEMPTS", "1"));
        var sessions = new TestSessions(connection);
        await using var throttled = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(44), 853);
        await using var lucky = await ChatPeer.LoginAsync(node.Url, await sessions.LoginAsync(45), 854);
        quantum.Instead = (call, context) =>
        {
            var isMeant = call.User == 44 && quantum.Calls.Count(other => other.User == 44) <= 6;
            context.Response.StatusCode = isMeant ? StatusCodes.Status429TooManyRequests : StatusCodes.Status200OK;
            return Task.FromResult(isMeant);
        };
        await throttled.ChatAsync(853, "t1", "hello");
        for (var number = 1; !quantum.Saved.Any(call => call.User == 44); number++)
        {
            number.Should().BeLessThan(200, "it is saved in time");
            await lucky.ChatAsync(854, $"l{number}", "hello");
            await Task.Delay(200);
        }

        (await throttled.ToldAsync("info_chat")).Text("identifier").Should().Be("t1");
        node.Log.All.Should().NotContain(line => line.Contains("dead letter", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_name_that_may_mean_several_is_dropped_nowhere_and_a_full_name_means_one()
    {
        await using var own = await ChatFixture.StartAsync();
        own.Quantum.Instead = async (_, context) =>
        {
            await context.Response.WriteAsJsonAsync(new { success = false, message = "no" });
            return true;
        };
        foreach (var (user, company) in new[] { (51L, 3L), (52L, 4L) })
        {
            await using var peer = await ChatPeer.LoginAsync(own.Node.Url, await own.Sessions.LoginAsync(user, company), 860);
            await peer.SayAsync(860, "a1");
            await peer.SayAsync(860, "1/2/3/b");
            await peer.ToldAsync("info");
            await peer.ToldAsync("info");
        }

        (await CommandAsync(own, "list")).Output.Should().Contain("  3/860/51/a1  seq 1  no").And.Contain("  4/860/52/1/2/3/b  seq 2  no");
        var (code, told) = await CommandAsync(own, "drop", "a1");
        code.Should().Be(1);
        told.Should().StartWith("a1 may mean several; name the one that you mean: ").And.Contain("3/860/51/a1").And.Contain("4/860/52/a1")
            .And.EndWith("\n0 dropped\n");

        (await CommandAsync(own, "drop", "4/860/52/a1", "3/860/51/1/2/3/b")).Should().Be((0, "2 dropped\n"));
        (await CommandAsync(own, "drop", "4/860/52/a1")).Should().Be((1, "There is no dead letter 4/860/52/a1.\n0 dropped\n"));
        (await CommandAsync(own, "drop", "a1")).Should().Be((0, "1 dropped\n"), "it means one now");
        own.Quantum.Instead = (_, _) => Task.FromResult(false);
        (await CommandAsync(own, "retry", "1/2/3/b")).Should().Be((0, "1 retried\n"));
        (await own.Quantum.WaitForSavedAsync(1)).Should().ContainSingle().Which.Company.Should().Be(4);
    }

    private Task<(int Code, string Output)> CommandAsync(params string[] arguments) => CommandAsync(chat, arguments);

    private static async Task<(int Code, string Output)> CommandAsync(ChatFixture chat, params string[] arguments)
    {
        var output = new StringWriter { NewLine = "\n" };
        var code = await DeadLettersCommand.RunAsync(chat.Node.Services.GetRequiredService<RedisOptions>(), arguments, output);
        return (code, output.ToString());
    }
}
