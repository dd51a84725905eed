using System.Net.WebSockets;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Configs;
using ChatServer.WebSockets;

namespace ChatServer.Bench.Micro;

/// <summary>RFC 6455 by ChatServer's own codec and by System.Net.WebSockets, a chat frame each; no network.</summary>
[MemoryDiagnoser]
[GroupBenchmarksBy(BenchmarkLogicalGroupRule.ByCategory)]
public class FrameBenchmarks : IDisposable
{
    private readonly byte[] _masked = Samples.MaskedFrame();
    private readonly byte[] _received = new byte[4096];
    private readonly byte[] _written = new byte[4096];
    private readonly FrameReader _reader = new(64 * 1024, 1024 * 1024);
    private readonly WebSocket _socket;

    public FrameBenchmarks() =>
        _socket = WebSocket.CreateFromStream(
            new EndlessStream(_masked), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero });

    [BenchmarkCategory("read a frame")]
    [Benchmark]
    public int Read()
    {
        // Unmasked in place, so each round needs a fresh copy; the other way copies too.
        _masked.CopyTo(_received, 0);
        var input = _received.AsSpan(0, _masked.Length);
        return _reader.Read(ref input).Payload.Length;
    }

    [BenchmarkCategory("read a frame")]
    [Benchmark(Baseline = true)]
    public async Task<int> ReadWithWebSockets() => (await _socket.ReceiveAsync(_received.AsMemory(), CancellationToken.None)).Count;

    [BenchmarkCategory("write a frame")]
    [Benchmark]
    public int Write() => FrameWriter.Write(_written, Opcode.Text, Samples.ChatFrame);

    [BenchmarkCategory("write a frame")]
    [Benchmark(Baseline = true)]
    public ValueTask WriteWithWebSockets() =>
        _socket.SendAsync(Samples.ChatFrame.AsMemory(), WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);

    [GlobalCleanup]
    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
        GC.SuppressFinalize(this);
    }
}
