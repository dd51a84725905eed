using System.Text;
using BenchmarkDotNet.Attributes;
using ChatServer.Backplane;
using ChatServer.Bench.Servers;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace ChatServer.Bench.Micro;

/// <summary>
/// The accept step with a real Redis: what one message waits, what a full batch costs for each, and the shortest round trip there is.
/// </summary>
[MemoryDiagnoser]
public class AcceptBenchmarks : IAsyncDisposable
{
    private const int BatchSize = 128;

    private static readonly RoomKey Room = new(3, 12);
    private static readonly UnnumberedMessage Message = MessageComposer.Chat(
        Room, 7, new("a1"u8, escaped: false), new(Encoding.ASCII.GetBytes(new string('x', 256)), escaped: false), Samples.Timestamp);

    private readonly Scene _scene = new();
    private readonly Task[] _batch = new Task[BatchSize];
    private ConnectionMultiplexer? _redis;
    private AcceptBatcher? _batcher;
    private readonly RoomNames _names = new(new RedisKeys(partitions: 1), Room);
    private long _number;

    private IDatabase Database => _redis!.GetDatabase();

    // The toolchain in this process does not wait for an asynchronous setup.
    [GlobalSetup]
    public void Start() => StartAsync().GetAwaiter().GetResult();

    [GlobalCleanup]
    public void Stop() => DisposeAsync().AsTask().GetAwaiter().GetResult();

    [Benchmark]
    public async Task<long> One() => (await AcceptAsync()).Seq;

    [Benchmark(OperationsPerInvoke = BatchSize)]
    public Task Batch()
    {
        for (var index = 0; index < BatchSize; index++)
        {
            _batch[index] = AcceptAsync();
        }

        return Task.WhenAll(_batch);
    }

    [Benchmark(Baseline = true)]
    public Task<TimeSpan> Ping() => Database.PingAsync();

    public async ValueTask DisposeAsync()
    {
        await _redis!.DisposeAsync();
        await _scene.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    private async Task StartAsync()
    {
        var port = await _scene.AddRedisAsync(appendOnly: false, CancellationToken.None);
        _redis = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{port},allowAdmin=true");
        _batcher = new(
            new(_redis, EmbeddedScript.Load("accept.lua"), TimeProvider.System, NullLogger<GenerationScripts>.Instance), RoomOptions.Log);
    }

    private Task<Acceptance> AcceptAsync()
    {
        var outcome = new Outcome();
        _batcher!.Post(new(Room, 7, $"{_number++}", 1, Message, Samples.Timestamp), _names, outcome);
        return outcome.Task;
    }

    private sealed class Outcome() : TaskCompletionSource<Acceptance>(TaskCreationOptions.RunContinuationsAsynchronously), IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance) => SetResult(acceptance);

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why) => SetException(why);
    }
}
