using System.Globalization;
using ChatServer.Tests.Fuzz.Support;
using ChatServer.Tests.Fuzz.Targets;

namespace ChatServer.Tests.Fuzz;

/// <summary>Whatever comes, what reads it says what it is, or that it is nothing: no other exception, no hang, nothing kept.</summary>
[Collection(FuzzCollection.Name)]
public sealed class FuzzTests(ITestOutputHelper output)
{
    private const int InputsOfAShortRun = 12_000;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    private static readonly IReadOnlyDictionary<string, Func<FuzzTarget>> Targets = new Func<FuzzTarget>[]
    {
        () => new FrameStream(), () => new UpgradeHead(), () => new ClientFrames(), () => new FirstFrames(), () => new StoredMessages(),
        () => new RedisReplies(), () => new RoomPayloads(), () => new LogRecords(), () => new AcceptLines(), () => new UserFrames(),
        () => new ControlOrders(), () => new QuantumAnswers(), () => new SessionTokens(), () => new SessionRecords(),
        () => new FernetTokens(), () => new DotEnvFiles(),
    }.ToDictionary(make => make().Name);

    public static TheoryData<string> Names => [.. Targets.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public async Task OddInput_IsReadOrRefused(string name)
    {
        foreach (var seed in (int[])[1, 2])
        {
            await new FuzzRun(Targets[name](), seed).PassAsync(InputsOfAShortRun / 2, Limit, countsBuffers: true);
        }
    }

    [Theory]
    [MemberData(nameof(Names))]
    public void KeptInput_IsReadOrRefused(string name)
    {
        foreach (var input in Kept.Of(name))
        {
            FuzzRun.Replay(Targets[name](), input);
        }
    }

    [Fact]
    public void KeptInputs_BelongToATarget() => Kept.Targets.Should().BeSubsetOf([.. Targets.Keys, SocketFuzzTests.KeptName]);

    /// <summary>By <c>./test.sh fuzz</c>: CHAT_FUZZ_SEED (else a random one) and CHAT_FUZZ_SECONDS (120), shared by all targets.</summary>
    [Fact(Explicit = true)]
    public async Task OddInput_IsReadOrRefusedForLong()
    {
        var (seed, time) = FuzzSettings.Read();
        output.WriteLine($"CHAT_FUZZ_SEED={seed} CHAT_FUZZ_SECONDS={time.TotalSeconds:F0}");
        var all = 0L;
        var start = TimeProvider.System.GetTimestamp();
        foreach (var make in Targets.Values)
        {
            var run = new FuzzRun(make(), seed);
            await run.PassAsync(long.MaxValue, time / Targets.Count, countsBuffers: false);
            all += run.Inputs;
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"{make().Name}: {run.Inputs:N0} inputs"));
        }

        var took = TimeProvider.System.GetElapsedTime(start);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"{all:N0} inputs in {took.TotalSeconds:F0} s, {all / took.TotalMinutes:N0} a minute"));
    }
}

/// <summary>What is measured here, memory above all, must not be another test's.</summary>
[CollectionDefinition(Name, DisableParallelization = true)]
public sealed class FuzzCollection
{
    public const string Name = "Fuzz";
}
