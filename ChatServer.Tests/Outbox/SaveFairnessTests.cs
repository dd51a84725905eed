using System.Diagnostics;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Sessions;
using ChatServer.Tests.Backplane.Support;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;

namespace ChatServer.Tests.Outbox;

/// <summary>Nobody's trouble at Quantum, and nobody's crowd, holds up another tenant's saves. All rooms share one partition here.</summary>
public sealed class SaveFairnessTests : IAsyncLifetime
{
    private const int Limit = 120_000;
    private const long Troubled = 11;
    private const long Crowded = 12;
    private const long Other = 13;

    private static readonly TimeSpan Promise = TimeSpan.FromSeconds(5);

    private readonly RedisServer _redis = new();
    private QuantumServer? _quantum;
    private TestNode? _node;

    private QuantumServer Quantum => _quantum!;

    private IBackplane Backplane => _node!.Services.GetRequiredService<IBackplane>();

    public async ValueTask InitializeAsync()
    {
        await _redis.InitializeAsync();
        _quantum = await QuantumServer.StartAsync();
        _node = await TestNode.StartAsync(_redis, Quantum.Url, ("CHAT_PARTITIONS", "1"), ("QUANTUM_TIMEOUT", "10"));
        await _node.Services.GetRequiredService<UserTokens>().RememberAsync(new(7, 3, "rest", null, new("s", 3, 7), null));
    }

    public async ValueTask DisposeAsync()
    {
        await _node!.DisposeAsync();
        await _quantum!.DisposeAsync();
        await _redis.DisposeAsync();
    }

    [Fact(Timeout = Limit)]
    public async Task ACompanyThatHangsAndARoomFullOfMessages_AnotherTenantIsSavedWithinSeconds()
    {
        Quantum.Instead = async (call, context) =>
        {
            if (call.Company == Troubled)
            {
                await HangAsync(context);
                return true;
            }

            await Task.Delay(call.Company == Crowded ? 10 : 0);
            return false;
        };
        await PostAsync(Enumerable.Range(1, 20).Select(room => (new RoomKey(Troubled, room), "m")));
        await PostAsync(Enumerable.Range(1, 3000).Select(number => (new RoomKey(Crowded, 1), $"m{number}")));

        (await SlowestAsync(count: 25)).Should().BeLessThan(Promise);

        var crowd = Quantum.Saved.Where(call => call.Company == Crowded).Select(call => call.Identifier).ToList();
        crowd.Should().HaveCountGreaterThan(50, "it goes on as well");
        crowd.Should().Equal(Enumerable.Range(1, crowd.Count).Select(number => $"m{number}"), "in its order");
    }

    [Fact(Timeout = Limit)]
    public async Task ManyRoomsOfACompanyAreThrottled_AnotherTenantIsSavedWithinSeconds()
    {
        Quantum.Instead = (call, context) =>
        {
            var isThrottled = call.Company == Troubled;
            context.Response.StatusCode = isThrottled ? 429 : 200;
            context.Response.Headers.RetryAfter = isThrottled ? "30" : default;
            return Task.FromResult(isThrottled);
        };
        await PostAsync(Enumerable.Range(1, 50).Select(room => (new RoomKey(Troubled, room), "m")));

        (await SlowestAsync(count: 10)).Should().BeLessThan(Promise);

        Quantum.Calls.Where(call => call.Company == Troubled).Select(call => call.Room).Should()
            .OnlyHaveUniqueItems("nobody asks again before the time is over");
    }

    /// <summary>One message after the other, each in a room of its own.</summary>
    /// <returns>The longest time from acceptance to Quantum's row.</returns>
    private async Task<TimeSpan> SlowestAsync(int count)
    {
        var slowest = TimeSpan.Zero;
        for (var number = 1; number <= count; number++)
        {
            var accepted = Stopwatch.GetTimestamp();
            await PostAsync([(new RoomKey(Other, number), "m")]);
            var room = number;
            await Eventually.TrueAsync(
                () => Quantum.Saved.Any(call => call.Company == Other && call.Room == room), TimeSpan.FromSeconds(15),
                () => $"message {room} was not saved");
            var took = Stopwatch.GetElapsedTime(accepted);
            slowest = took > slowest ? took : slowest;
            await Task.Delay(400);
        }

        return slowest;
    }

    private async Task PostAsync(IEnumerable<(RoomKey Room, string Identifier)> messages) =>
        await Task.WhenAll(messages.Select(message => Backplane.AcceptAsync(Drafts.Of(message.Room, 7, message.Identifier))));

    private static async Task HangAsync(HttpContext context) =>
        await Task.Delay(Timeout.InfiniteTimeSpan, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
