using ChatServer.Redis;
using ChatServer.Tests.Support;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Tests.Faults.Support;

/// <summary>One kind of fault: what it breaks, for how long, and how it is put right.</summary>
/// <param name="Victim">What it touches: no two faults touch the same thing at once.</param>
/// <param name="DoAsync">Ends when all is well again.</param>
internal sealed record Fault(string Name, string Victim, Func<Task> DoAsync)
{
    /// <summary>Draws a fault for a site, everything about it from <paramref name="random"/>.</summary>
    public static Fault Draw(FaultSite site, Random random)
    {
        var node = random.Next(site.NodeProcesses.Count);
        var time = TimeSpan.FromMilliseconds(random.Next(300, 3000));
        var pause = TimeSpan.FromMilliseconds(random.Next(20, 200));
        var share = 0.2 + (0.6 * random.NextDouble());
        var rest = TimeSpan.FromMilliseconds(random.Next(0, 3000));
        var process = site.NodeProcesses[node];
        var proxy = site.RedisProxies[node];
        var all = site.RedisProxies;
        return random.Next(23) switch
        {
            0 => new("cut Redis of a node", $"proxy {node}", () => Cut(proxy)),
            1 => new("cut Redis of all nodes", "redis", () => Cut([.. all])),
            2 => new("stall Redis of a node", $"proxy {node}", () => With(time, proxy, proxy.Stall)),
            3 => new("stall Redis of all nodes", "redis", () => Task.WhenAll(all.Select(each => With(time, each, each.Stall)))),
            4 => new("slow Redis of a node", $"proxy {node}", () => With(time, proxy, () => proxy.Delay = pause)),
            5 => new("refuse Redis to a node", $"proxy {node}", () => Refuse(time, proxy)),
            6 or 7 =>
                new("swallow a node's messages", $"proxy {node}", () => With(
                    time + TimeSpan.FromSeconds(3), proxy, () => proxy.SwallowsMessages = true)),
            8 => new("cut Quantum", "quantum", () => Cut(site.QuantumProxy)),
            9 => new("stall Quantum", "quantum", () => With(time, site.QuantumProxy, site.QuantumProxy.Stall)),
            10 => new("refuse Quantum", "quantum", () => Refuse(time, site.QuantumProxy)),
            11 => new("slow Quantum", "quantum", () => With(time, site.QuantumProxy, () => site.QuantumProxy.Delay = pause)),
            12 => new("Quantum fails now and then", "quantum", () => FailAsync(site.Quantum, time, share)),
            13 or 14 => new("kill a node", "node", () => RestartAsync(process, process.KillAsync, rest)),
            15 =>
                new("terminate a node", "node", () => RestartAsync(
                    process, async () => (await process.TerminateAsync()).Should().Be(0), rest)),
            16 or 17 => new("fill Redis", "redis", () => FillAsync(site, time)),
            18 => new("a tenant's saves hang", "quantum", () => TenantAsync(site, random.Next(2), time, HangAsync)),
            19 => new("a tenant is throttled", "quantum", () => TenantAsync(site, random.Next(2), time, ThrottleAsync)),
            20 => new("nodes that are not there", "redis", () => HauntAsync(site, time + rest)),
            21 when random.Next(2) == 0 => new("kill Redis", "redis", () => RestartAsync(site.Redis, time / 2)),
            _ => new("freeze Redis", "redis", () => FreezeAsync(site.Redis, TimeSpan.FromSeconds(1) + (time * 1.3))),
        };
    }

    /// <summary>Something is wrong with a proxy for a while.</summary>
    public static async Task With(TimeSpan time, TcpProxy proxy, Action begin)
    {
        begin();
        await Task.Delay(time);
        proxy.Resume();
    }

    /// <summary>Redis takes connections and commands, and answers nothing until it goes on.</summary>
    public static async Task FreezeAsync(RedisServer redis, TimeSpan time)
    {
        Signal.Stop.SendTo(redis.ProcessId);
        await Task.Delay(time);
        Signal.Continue.SendTo(redis.ProcessId);
    }

    private static Task Cut(params TcpProxy[] proxies)
    {
        foreach (var proxy in proxies)
        {
            proxy.Cut();
        }

        return Task.CompletedTask;
    }

    private static Task Refuse(TimeSpan time, TcpProxy proxy) => With(time, proxy, () =>
    {
        proxy.Refuses = true;
        proxy.Cut();
    });

    private static async Task FailAsync(QuantumServer quantum, TimeSpan time, double share)
    {
        var failing = new Random(1);
        quantum.Instead = (_, context) => FailOrBeSlowAsync(context);
        quantum.InsteadOfBatch = (_, context) => FailOrBeSlowAsync(context);
        await Task.Delay(time);
        quantum.Instead = (_, _) => Task.FromResult(false);
        quantum.InsteadOfBatch = null;

        async Task<bool> FailOrBeSlowAsync(HttpContext context)
        {
            double chance;
            lock (failing)
            {
                chance = failing.NextDouble();
            }

            // Some fail before the row is made, some are just slow.
            await Task.Delay(TimeSpan.FromMilliseconds(100 * chance), context.RequestAborted)
                .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            context.Response.StatusCode = chance < share ? StatusCodes.Status500InternalServerError : StatusCodes.Status200OK;
            return chance < share;
        }
    }

    /// <summary>Redis refuses every write that needs memory.</summary>
    private static async Task FillAsync(FaultSite site, TimeSpan time)
    {
        await site.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await Task.Delay(time);
        await site.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
    }

    /// <summary>Quantum does not answer for one company, or answers badly; the others must not notice.</summary>
    private static async Task TenantAsync(FaultSite site, int which, TimeSpan time, Func<HttpContext, Task> answerAsync)
    {
        var company = FaultSite.Companies[which];
        site.Quantum.Instead = async (call, context) =>
        {
            if (call.Company != company)
            {
                return false;
            }

            await answerAsync(context);
            return true;
        };
        await Task.Delay(time);
        site.Quantum.Instead = (_, _) => Task.FromResult(false);
    }

    private static async Task HangAsync(HttpContext context)
    {
        await Task.Delay(Timeout.Infinite, context.RequestAborted).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    private static Task ThrottleAsync(HttpContext context)
    {
        context.Response.StatusCode = StatusCodes.Status429TooManyRequests;
        context.Response.Headers.RetryAfter = "1";
        return Task.CompletedTask;
    }

    /// <summary>Names in the list of nodes behind which there is nobody, as of nodes that start and end again and again.</summary>
    private static async Task HauntAsync(FaultSite site, TimeSpan time)
    {
        for (var began = TimeProvider.System.GetTimestamp(); TimeProvider.System.GetElapsedTime(began) < time;)
        {
            var now = TimeProvider.System.GetUtcNow().ToUnixTimeMilliseconds();
            for (var ghost = 0; ghost < 3; ghost++)
            {
                await site.Database.SortedSetAddAsync(RedisKeys.Nodes, $"ghost {ghost}", now);
            }

            await Task.Delay(500);
        }
    }

    private static async Task RestartAsync(NodeProcess node, Func<Task> endAsync, TimeSpan rest)
    {
        await endAsync();
        await Task.Delay(rest);
        await node.StartAsync();
    }

    private static async Task RestartAsync(RedisServer redis, TimeSpan rest)
    {
        await redis.StopAsync();
        await Task.Delay(rest);
        await redis.StartAgainAsync();
    }
}
