using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults.Support;

/// <summary>What a fault touches. No two faults touch the same thing at once.</summary>
[Flags]
internal enum Victim
{
    None = 0,

    /// <summary>Redis and the ways to it. A proxy's faults all end at once, by its <c>Resume</c>.</summary>
    Redis = 1,
    Quantum = 2,
    Nodes = 4,
    Clients = 8,

    /// <summary>For a mischief that promises more than others: it has all to itself.</summary>
    All = 15,
}

/// <summary>One kind of fault: what it breaks, for how long, and how it is put right.</summary>
/// <param name="DoAsync">Ends when all is well again.</param>
internal sealed record Fault(string Name, Victim Victim, Func<Task> DoAsync)
{
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

    public static Task CutAsync(params TcpProxy[] proxies)
    {
        foreach (var proxy in proxies)
        {
            proxy.Cut();
        }

        return Task.CompletedTask;
    }

    public static Task RefuseAsync(TimeSpan time, TcpProxy proxy) => With(time, proxy, () =>
    {
        proxy.Refuses = true;
        proxy.Cut();
    });

    /// <summary>Redis refuses every write that needs memory.</summary>
    public static async Task FillAsync(FaultSite site, TimeSpan time)
    {
        await site.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "1");
        await Task.Delay(time);
        await site.Database.ExecuteAsync("CONFIG", "SET", "maxmemory", "0");
    }

    public static async Task RestartAsync(NodeProcess node, Func<Task> endAsync, TimeSpan rest)
    {
        await endAsync();
        await Task.Delay(rest);
        await node.StartAsync();
    }

    public static async Task RestartAsync(RedisServer redis, TimeSpan rest)
    {
        await redis.StopAsync();
        await Task.Delay(rest);
        await redis.StartAgainAsync();
    }
}
