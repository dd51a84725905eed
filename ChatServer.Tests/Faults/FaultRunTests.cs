using System.Globalization;
using ChatServer.Tests.Faults.Support;

namespace ChatServer.Tests.Faults;

/// <summary>What has its ack reaches every member and Quantum exactly once and in order, whatever fails in between.</summary>
[Collection(FaultCollection.Name)]
public sealed class FaultRunTests(ITestOutputHelper output)
{
    /// <summary>The short run has a killed node, a burst and a frozen Redis from it, and nothing that takes long.</summary>
    private const int UsualSeed = 20260948;

    [Fact]
    public async Task Messages_with_an_ack_survive_a_short_run_of_faults() =>
        await new FaultRun(UsualSeed, TimeSpan.FromSeconds(12), output.WriteLine).PassAsync().WaitAsync(TimeSpan.FromMinutes(4));

    /// <summary>By <c>./test.sh faults</c>: CHAT_FAULT_SEED (else a random one) and CHAT_FAULT_SECONDS (300).</summary>
    [Fact(Explicit = true)]
    public async Task Messages_with_an_ack_survive_a_long_run_of_faults()
    {
        var seed = Number("CHAT_FAULT_SEED") ?? Random.Shared.Next(1, 1_000_000);
        var time = TimeSpan.FromSeconds(Number("CHAT_FAULT_SECONDS") ?? 300);
        output.WriteLine($"CHAT_FAULT_SEED={seed} CHAT_FAULT_SECONDS={time.TotalSeconds:F0}");
        await new FaultRun(seed, time, output.WriteLine).PassAsync().WaitAsync(time + TimeSpan.FromMinutes(4));
    }

    [Fact]
    public async Task Nobody_believes_what_others_do_not_have_when_redis_falls_back() =>
        (await new RollbackRun(UsualSeed, TimeSpan.FromSeconds(12), output.WriteLine).PlayAsync().WaitAsync(TimeSpan.FromMinutes(4)))
            .Should().BeEmpty();

    [Fact(Explicit = true)]
    public async Task Nobody_believes_what_others_do_not_have_when_redis_falls_back_again_and_again()
    {
        var seed = Number("CHAT_FAULT_SEED") ?? Random.Shared.Next(1, 1_000_000);
        var time = TimeSpan.FromSeconds(Number("CHAT_FAULT_SECONDS") ?? 300);
        (await new RollbackRun(seed, time, output.WriteLine).PlayAsync().WaitAsync(time + TimeSpan.FromMinutes(4))).Should().BeEmpty();
    }

    private static int? Number(string name) =>
        Environment.GetEnvironmentVariable(name) is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : null;
}

/// <summary>Runs of faults have the machine to themselves: they measure time in seconds, with a dozen processes' worth of work.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FaultCollection
{
    public const string Name = "Faults";
}
