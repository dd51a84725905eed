using System.Globalization;
using ChatServer.Files;
using ChatServer.Rooms;
using ChatServer.Tests.Fuzz.Support;
using ChatServer.Tests.Support;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.Fuzz;

/// <summary>Whatever comes over sockets, a node logs no error, keeps nothing, and two who chat beside it do not notice.</summary>
[Collection(FuzzCollection.Name)]
public sealed class SocketFuzzTests(ITestOutputHelper output) : IAsyncLifetime
{
    public const string KeptName = "Sockets";

    private const int AtOnce = 12;
    private const long Company = 9;
    private const long NeighboursRoom = 12;

    /// <summary>Redis's client, Kestrel and the pools settle at a level; what each of a thousand streams leaves behind does not.</summary>
    private const long MaxGrowth = 24L << 20;

    private static readonly TimeSpan SettlesWithin = TimeSpan.FromSeconds(20);

    private readonly ChatFixture _chat = new();

    public async ValueTask InitializeAsync()
    {
        await _chat.InitializeAsync();
        _chat.Node.Log.Least = LogLevel.Warning;
    }

    public ValueTask DisposeAsync() => _chat.DisposeAsync();

    [Fact]
    public async Task OddStreams_DisturbNobody()
    {
        using var stop = new CancellationTokenSource();
        await PassAsync(seed: 1, streams: 400, stop.Token);
    }

    [Fact]
    public async Task KeptStreams_DisturbNobody()
    {
        var fuzz = await FuzzAsync(seed: 1);
        foreach (var stream in Kept.Of(KeptName))
        {
            await fuzz.ReplayAsync(stream);
        }

        await SettleAsync(connections: 0);
    }

    /// <summary>By <c>./test.sh fuzz</c>: CHAT_FUZZ_SEED (else a random one) and CHAT_FUZZ_SECONDS (120).</summary>
    [Fact(Explicit = true)]
    public async Task OddStreams_DisturbNobodyForLong()
    {
        var (seed, time) = FuzzSettings.Read();
        output.WriteLine($"CHAT_FUZZ_SEED={seed} CHAT_FUZZ_SECONDS={time.TotalSeconds:F0}");
        using var stop = new CancellationTokenSource(time);
        await PassAsync(seed, long.MaxValue, stop.Token);
    }

    private async Task PassAsync(int seed, long streams, CancellationToken stop)
    {
        var fuzz = await FuzzAsync(seed);
        await using var ada = await _chat.LoginAsync(1, NeighboursRoom);
        await using var bob = await _chat.LoginAsync(2, NeighboursRoom);
        var neighbours = new Neighbours(ada, bob, NeighboursRoom);
        using var end = new CancellationTokenSource();
        var chatting = neighbours.ChatAsync(end.Token);
        var start = TimeProvider.System.GetTimestamp();
        try
        {
            // What is made once, and what pools keep, is there after these.
            await new SocketFuzz(_chat.Node.Port, await TokensAsync(), ~seed).PassAsync(Math.Min(streams, 2000) / 4, stop);
            var (memory, free) = (Memory(), Buffers.Free);

            await fuzz.PassAsync(streams, stop);

            await SettleAsync(connections: 2);
            Buffers.Free.Should().Be(free, "no upload's buffer is kept");
            (Memory() - memory).Should().BeLessThan(MaxGrowth, "{0} streams leave no memory behind", fuzz.Sent);
        }
        finally
        {
            await end.CancelAsync();
        }

        await chatting;
        neighbours.Told.Should().BeGreaterThan(0);
        var took = TimeProvider.System.GetElapsedTime(start);
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{fuzz.Inputs:N0} inputs in {fuzz.Sent:N0} streams in {took.TotalSeconds:F0} s, {fuzz.Inputs / took.TotalMinutes:N0} a minute; "
            + $"beside it {neighbours.Told:N0} messages, the slowest in {neighbours.Slowest.TotalMilliseconds:F0} ms"));
    }

    private UploadBuffers Buffers => _chat.Node.Services.GetRequiredService<UploadBuffers>();

    private async Task<SocketFuzz> FuzzAsync(int seed) => new(_chat.Node.Port, await TokensAsync(), seed);

    private async Task<IReadOnlyList<string>> TokensAsync()
    {
        var tokens = new List<string>();
        for (var user = 40; user < 40 + AtOnce; user++)
        {
            tokens.Add(await _chat.Sessions.LoginAsync(user, Company, "[20,21]"));
        }

        return tokens;
    }

    /// <summary>Everything that the streams held is given back, and nothing has gone wrong.</summary>
    private async Task SettleAsync(int connections)
    {
        await Eventually.TrueAsync(
            () => _chat.Node.Connections.Count == connections, SettlesWithin,
            () => $"{_chat.Node.Connections.Count} connections are left");
        var rooms = _chat.Node.Services.GetRequiredService<RoomDirectory>();
        await Eventually.TrueAsync(
            () => rooms.Keys.All(key => key.CompanyId != Company), SettlesWithin, () => $"rooms are left: {string.Join(", ", rooms.Keys)}");
        await Eventually.TrueAsync(
            () => _chat.Node.Services.GetRequiredService<UploadWatch>().Count == 0, SettlesWithin, () => "uploads are left");
        _chat.Node.Log.All.Where(line => line.StartsWith("Error", StringComparison.Ordinal)
            || line.StartsWith("Critical", StringComparison.Ordinal)).Should().BeEmpty();
    }

    /// <summary>Without what the stand-in for Quantum keeps for tests.</summary>
    private long Memory()
    {
        _chat.Quantum.Forget();
        return GC.GetTotalMemory(forceFullCollection: true);
    }
}
