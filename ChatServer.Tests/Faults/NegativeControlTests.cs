using ChatServer.Tests.Faults.Support;
using ChatServer.Tests.Support;

namespace ChatServer.Tests.Faults;

/// <summary>
/// A green run of faults proves something only if it turns red when a protection is missing. Each of these runs the same scene twice: with
/// everything on, and with one protection off.
/// </summary>
[Collection(FaultCollection.Name)]
public sealed class NegativeControlTests(UnprotectedBuild build, ITestOutputHelper output) : IClassFixture<UnprotectedBuild>
{
    private const int Seed = 7;

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(3);
    private static readonly TimeSpan SettleWithin = TimeSpan.FromSeconds(20);

    /// <summary>Redis answers too late, accepts nevertheless, and what is sent again must be known.</summary>
    [Fact(Explicit = true)]
    public Task Without_dedupe_a_message_that_is_sent_again_is_there_twice() =>
        TurnsRedAsync("dedupe", Breach.Renumbered, async site =>
        {
            site.Begin();
            await Task.Delay(TimeSpan.FromSeconds(1));
            await Fault.FreezeAsync(site.Redis, TimeSpan.FromSeconds(3));
        });

    /// <summary>A node's subscription dies silently, and works again later.</summary>
    [Fact(Explicit = true)]
    public Task Without_probe_and_log_what_a_dead_subscription_did_not_bring_is_lost() =>
        TurnsRedAsync("gap", Breach.Lost, async site =>
        {
            site.Begin();
            await Task.Delay(TimeSpan.FromSeconds(1));
            var proxy = site.RedisProxies[0];
            await Fault.With(TimeSpan.FromSeconds(4), proxy, () => proxy.SwallowsMessages = true);
            await Task.Delay(TimeSpan.FromSeconds(1));
        });

    /// <summary>
    /// A node's subscriptions bring nothing for a while, on whatever connection, and nothing is written after that: nothing but the probe
    /// tells.
    /// </summary>
    [Fact(Explicit = true)]
    public Task Without_the_probe_a_dead_subscription_goes_unnoticed() =>
        TurnsRedAsync("probe", Breach.Lost, async site =>
        {
            site.Begin();
            await Task.Delay(TimeSpan.FromSeconds(1));
            site.RedisProxies[0].SwallowsMessages = true;
            await Task.Delay(TimeSpan.FromSeconds(3));
            site.End();
            await Task.Delay(TimeSpan.FromSeconds(1));
            site.RedisProxies[0].Resume();
        });

    /// <summary>Nothing fails; the nodes have shared the partitions out before the first message comes.</summary>
    [Fact(Explicit = true)]
    public Task Without_the_lease_every_node_saves_everything() =>
        TurnsRedAsync("lease", Breach.SavedAgain, isQuiet: true, playAsync: async site =>
        {
            await Task.Delay(TimeSpan.FromSeconds(8));
            site.Begin();
            await Task.Delay(TimeSpan.FromSeconds(3));
        });

    /// <summary>Names of nodes behind which there is nobody, as a node in a crash loop leaves them, reserve nearly all of the work.</summary>
    [Fact(Explicit = true)]
    public Task Without_taking_what_stays_free_nodes_that_are_not_there_hold_up_saves() =>
        TurnsRedAsync("free", Breach.SavedLate, async site =>
        {
            site.Begin();
            await site.CalmAsync();
            await site.WatchAsync(FaultSite.Companies, () => NodeMischief.HauntAsync(site, TimeSpan.FromSeconds(30), ghosts: 60));
        });

    /// <summary>One company's calls hang, and the one node that saves has one place.</summary>
    [Fact(Explicit = true)]
    public Task Without_slow_calls_giving_their_place_away_a_tenant_whose_saves_hang_holds_up_the_other() =>
        TurnsRedAsync("slow", Breach.SavedLate, async site =>
        {
            NodeProcess[] others = [.. site.NodeProcesses.Skip(1)];
            await Task.WhenAll(others.Select(node => node.TerminateAsync()));
            await Task.Delay(TimeSpan.FromSeconds(6));
            site.Begin();
            await QuantumMischief.HangAsync(site, FaultSite.Companies[0]);
            await Task.WhenAll(others.Select(node => node.StartAsync()));
        });

    /// <summary>Everybody reads but one; nothing else is wrong.</summary>
    [Fact(Explicit = true)]
    public Task Without_the_pace_a_burst_closes_those_who_read() =>
        TurnsRedAsync("pace", Breach.CalledSlow, async site =>
        {
            site.Begin();
            for (var deaf = 0; deaf < 2; deaf++)
            {
                await ClientMischief.BurstAsync(site, deaf);
            }
        });

    /// <summary>A member is told that it is out, and stays in.</summary>
    [Fact(Explicit = true)]
    public Task Without_the_removal_who_was_put_out_hears_the_room() =>
        TurnsRedAsync("removal", Breach.Overheard, async site =>
        {
            site.Begin();
            await ClientMischief.RemoveAsync(site, client: 1, TimeSpan.FromSeconds(2));
        });

    /// <summary>Quantum is away while a user writes and logs out.</summary>
    [Fact(Explicit = true)]
    public Task Without_the_users_new_token_what_was_written_before_a_logout_is_not_saved() =>
        TurnsRedAsync("tokens", Breach.Missaved, async site =>
        {
            site.Begin();
            await Task.Delay(TimeSpan.FromSeconds(1));
            await ClientMischief.LogOutAsync(site, client: 1, TimeSpan.FromSeconds(2));
        });

    /// <summary>Redis falls back, and nobody is left who has seen more.</summary>
    [Fact(Explicit = true)]
    public async Task Without_generations_clients_believe_what_others_do_not_have()
    {
        var program = await build.ProgramAsync();
        var run = new RollbackRun(Seed, TimeSpan.FromSeconds(15), output.WriteLine);
        (await run.PlayAsync(program, ("CHAT_FAULT_INJECTION", "nothing")).WaitAsync(Limit)).Should().BeEmpty("nothing is off");

        (await run.PlayAsync(program, ("CHAT_FAULT_INJECTION", "generation")).WaitAsync(Limit)).Should().NotBeEmpty("generations are off");
    }

    private async Task TurnsRedAsync(string protection, Breach breach, Func<FaultSite, Task> playAsync, bool isQuiet = false)
    {
        var program = await build.ProgramAsync();
        var healthy = await PlayAsync(program, "nothing", playAsync, isQuiet).WaitAsync(Limit);
        healthy.IsClean.Should().BeTrue("nothing is off.\n{0}", healthy.Describe());

        var unprotected = await PlayAsync(program, protection, playAsync, isQuiet).WaitAsync(Limit);
        unprotected.Count(breach).Should().BePositive("{0} is off", protection);
    }

    private async Task<Findings> PlayAsync(string program, string protection, Func<FaultSite, Task> playAsync, bool isQuiet)
    {
        await using var site = await FaultSite.StartAsync(Seed, Interval, program, ("CHAT_FAULT_INJECTION", protection));
        await playAsync(site);
        var missing = await site.SettleAsync(SettleWithin);
        var findings = site.Check(isQuiet);
        output.WriteLine($"Without {protection}: {findings}{(missing is null ? "" : "; in the end " + missing)}");
        return findings;
    }
}
