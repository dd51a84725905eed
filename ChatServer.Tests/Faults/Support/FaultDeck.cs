using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults.Support;

/// <summary>
/// All kinds of faults, shuffled: each comes once before any comes again, so that a long run has them all. Everything about them is drawn
/// from one seed.
/// </summary>
internal sealed class FaultDeck(FaultSite site, Random random)
{
    private readonly Stack<Func<Fault>> _kinds = [];
    private Fault? _next;

    public Fault Draw()
    {
        var drawn = Next();
        _next = null;
        return drawn;
    }

    /// <returns>The next one, if it may be made at the same time as another; null if it has to wait.</returns>
    public Fault? DrawBeside(Fault other) => (Next().Victim & other.Victim) == Victim.None ? Draw() : null;

    private Fault Next()
    {
        if (_kinds.Count == 0)
        {
            var kinds = AroundRedis().Concat(AroundQuantum()).Concat(OfNodes()).Concat(Mischief()).ToArray();
            random.Shuffle(kinds);
            Array.ForEach(kinds, _kinds.Push);
        }

        return _next ??= _kinds.Pop()();
    }

    private IEnumerable<Func<Fault>> AroundRedis()
    {
        TcpProxy[] all = [.. site.RedisProxies];
        yield return () => new("cut Redis of a node", Victim.Redis, () => Fault.CutAsync(Proxy()));
        yield return () => new("cut Redis of all nodes", Victim.Redis, () => Fault.CutAsync(all));
        yield return () => Bad("stall Redis of a node", Proxy(), proxy => proxy.Stall());
        yield return () =>
        {
            var time = Time();
            return new(
                "stall Redis of all nodes", Victim.Redis, () => Task.WhenAll(all.Select(each => Fault.With(time, each, each.Stall))));
        };
        yield return () =>
        {
            var pause = Pause();
            return Bad("slow Redis of a node", Proxy(), proxy => proxy.Delay = pause);
        };
        yield return () =>
        {
            var (time, proxy) = (Time(), Proxy());
            return new("refuse Redis to a node", Victim.Redis, () => Fault.RefuseAsync(time, proxy));
        };
        for (var often = 0; often < 2; often++)
        {
            yield return () =>
            {
                var (time, proxy) = (Time() + TimeSpan.FromSeconds(3), Proxy());
                return new(
                    "swallow a node's messages", Victim.Redis, () => Fault.With(time, proxy, () => proxy.SwallowsMessages = true));
            };
            yield return () =>
            {
                var time = Time();
                return new("fill Redis", Victim.Redis, () => Fault.FillAsync(site, time));
            };
        }

        yield return () =>
        {
            var time = Time() / 2;
            return new("kill Redis", Victim.Redis, () => Fault.RestartAsync(site.Redis, time));
        };
        yield return () =>
        {
            var time = TimeSpan.FromSeconds(1) + (Time() * 1.3);
            return new("freeze Redis", Victim.Redis, () => Fault.FreezeAsync(site.Redis, time));
        };
        yield return () =>
        {
            var time = Time() + Rest();
            return new("nodes that are not there", Victim.Redis, () => NodeMischief.HauntAsync(site, time));
        };
    }

    private IEnumerable<Func<Fault>> AroundQuantum()
    {
        var proxy = site.QuantumProxy;
        yield return () => new("cut Quantum", Victim.Quantum, () => Fault.CutAsync(proxy));
        yield return () => Bad("stall Quantum", proxy, each => each.Stall(), Victim.Quantum);
        yield return () =>
        {
            var time = Time();
            return new("refuse Quantum", Victim.Quantum, () => Fault.RefuseAsync(time, proxy));
        };
        yield return () =>
        {
            var pause = Pause();
            return Bad("slow Quantum", proxy, each => each.Delay = pause, Victim.Quantum);
        };
        yield return () =>
        {
            var (time, share) = (Time(), 0.2 + (0.6 * random.NextDouble()));
            return new("Quantum fails now and then", Victim.Quantum, () => QuantumMischief.FailAsync(site.Quantum, time, share));
        };
        yield return () => Tenant("a tenant's saves hang", QuantumMischief.HangAsync);
        yield return () => Tenant("a tenant is throttled", QuantumMischief.ThrottleAsync);
        yield return () => Tenant("a tenant has a hot room", QuantumMischief.HeatAsync);
    }

    private IEnumerable<Func<Fault>> OfNodes()
    {
        for (var often = 0; often < 2; often++)
        {
            yield return () =>
            {
                var (node, rest) = (Node(), Rest());
                return new("kill a node", Victim.Nodes, () => Fault.RestartAsync(node, node.KillAsync, rest));
            };
        }

        yield return () =>
        {
            var (node, rest) = (Node(), Rest());
            return new("terminate a node", Victim.Nodes, () => Fault.RestartAsync(
                node, async () => (await node.TerminateAsync()).Should().Be(0), rest));
        };
        yield return () => new("a node in a crash loop", Victim.All, () => NodeMischief.CrashAsync(site));
    }

    private IEnumerable<Func<Fault>> Mischief()
    {
        yield return () =>
        {
            var deaf = random.Next(site.Clients.Count);
            return new("a burst of large messages", Victim.Clients, () => ClientMischief.BurstAsync(site, deaf));
        };
        yield return () =>
        {
            var (client, time) = (random.Next(site.Clients.Count), Time());
            return new("a member is removed", Victim.All, () => ClientMischief.RemoveAsync(site, client, time));
        };
        yield return () =>
        {
            var (client, time) = (random.Next(site.Clients.Count), Time());
            return new(
                "a logout with a backlog", Victim.Redis | Victim.Quantum | Victim.Clients,
                () => ClientMischief.LogOutAsync(site, client, time));
        };
    }

    private Fault Bad(string name, TcpProxy proxy, Action<TcpProxy> begin, Victim victim = Victim.Redis)
    {
        var time = Time();
        return new(name, victim, () => Fault.With(time, proxy, () => begin(proxy)));
    }

    private Fault Tenant(string name, Func<FaultSite, long, Task> doAsync)
    {
        var company = FaultSite.Companies[random.Next(FaultSite.Companies.Count)];
        return new(name, Victim.All, () => doAsync(site, company));
    }

    private TcpProxy Proxy() => site.RedisProxies[random.Next(site.RedisProxies.Count)];

    private NodeProcess Node() => site.NodeProcesses[random.Next(site.NodeProcesses.Count)];

    private TimeSpan Time() => TimeSpan.FromMilliseconds(random.Next(300, 3000));

    private TimeSpan Pause() => TimeSpan.FromMilliseconds(random.Next(20, 200));

    private TimeSpan Rest() => TimeSpan.FromMilliseconds(random.Next(0, 3000));
}
