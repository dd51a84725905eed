using System.Net.WebSockets;
using System.Text;
using BenchmarkDotNet.Attributes;
using ChatServer.Connections;
using ChatServer.Rooms.Fanout;

namespace ChatServer.Bench.Micro;

/// <summary>
/// One message for a hundred members, up to the call of the kernel: a room's batch, and a frame and a semaphore for each member.
/// </summary>
[MemoryDiagnoser]
public class EnqueueBenchmarks : IDisposable
{
    private const int MemberCount = 100;

    private static readonly byte[] Message = Encoding.UTF8.GetBytes(
        """{"type":"chat","room_id":12,"seq":501,"identifier":"a1","from_user_id":7,"company_id":3,"body":"""
        + $"\"{new string('x', 256)}\",\"timestamp\":\"{Samples.Timestamp}\"}}");

    private readonly RoomBatch _batch = new();
    private readonly Member?[] _members;
    private readonly (WebSocket Socket, SemaphoreSlim Turn)[] _plain;

    public EnqueueBenchmarks()
    {
        _members = [.. Enumerable.Range(0, MemberCount)
            .Select(_ => new Member(new Connection(new BottomlessOutbound(), () => { }, TimeProvider.System)))];
        _plain = [.. Enumerable.Range(0, MemberCount).Select(_ => (
            WebSocket.CreateFromStream(
                new EndlessStream([0]), new WebSocketCreationOptions { IsServer = true, KeepAliveInterval = TimeSpan.Zero }),
            new SemaphoreSlim(1)))];
    }

    [Benchmark]
    public void Batch()
    {
        _batch.AddMessage(new(501, "k3", 1, Message), null);
        _batch.SendTo(_members);
        _batch.Clear();
    }

    [Benchmark(Baseline = true)]
    public async Task EachWithWebSockets()
    {
        foreach (var (socket, turn) in _plain)
        {
            await turn.WaitAsync();
            try
            {
                await socket.SendAsync(Message, WebSocketMessageType.Text, endOfMessage: true, CancellationToken.None);
            }
            finally
            {
                turn.Release();
            }
        }
    }

    [GlobalCleanup]
    public void Dispose()
    {
        foreach (var (socket, turn) in _plain)
        {
            socket.Dispose();
            turn.Dispose();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>A kernel that takes everything at once.</summary>
    private sealed class BottomlessOutbound() : Outbound(1024 * 1024, TimeProvider.System)
    {
        protected override int SendNow(ReadOnlySpan<byte> bytes) => bytes.Length;

        protected override ValueTask<int> WriteAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancellationToken) => new(bytes.Length);
    }
}
