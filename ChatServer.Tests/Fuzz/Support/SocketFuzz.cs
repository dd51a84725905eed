using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Unicode;
using ChatServer.Tests.Fuzz.Targets;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using Frames = ChatServer.Tests.WebSockets.Support.ClientFrames;

namespace ChatServer.Tests.Fuzz.Support;

/// <summary>
/// Sends a node odd streams over bare sockets: odd handshakes, odd first frames, and behind a login odd JSON in proper frames, or odd
/// frames. The node has read a stream to its end when it closes the connection.
/// </summary>
/// <param name="port">The node's.</param>
/// <param name="tokens">Of users who may enter rooms 20 and 21; each stream at a time has one to itself.</param>
/// <param name="seed">Draws all streams.</param>
internal sealed class SocketFuzz(int port, IReadOnlyList<string> tokens, int seed)
{
    private const int MostFrames = 24;

    private static readonly TimeSpan ClosedWithin = TimeSpan.FromSeconds(20);

    private static readonly string DeflatingUpgrade = RawPeer.Upgrade()
        .Replace("\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n", StringComparison.Ordinal);

    private static readonly Mutator Heads = new([.. new UpgradeHead().Seeds, .. Texts.Utf8("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")]);
    private static readonly Mutator Firsts = new(new FirstFrames().Seeds);
    private static readonly Mutator Jsons = new(Targets.ClientFrames.Valid);

    private static readonly Mutator Streams =
        new([.. new FrameStream().Seeds, .. Targets.ClientFrames.Valid.Select(json => Frames.Frame(Opcode.Text, json))]);

    private long _inputs;
    private long _streams;

    /// <summary>Odd handshakes, odd JSON in a proper frame, and odd streams of frames that were sent.</summary>
    public long Inputs => Interlocked.Read(ref _inputs);

    /// <summary>Connections.</summary>
    public long Sent => Interlocked.Read(ref _streams);

    /// <summary>Sends streams, as many at a time as there are tokens.</summary>
    public async Task PassAsync(long streams, CancellationToken stop)
    {
        var next = -1L;
        await Task.WhenAll(tokens.Select(token => Task.Run(
            async () =>
            {
                for (long number; !stop.IsCancellationRequested && (number = Interlocked.Increment(ref next)) < streams;)
                {
                    await SendAsync(token, number);
                }
            },
            CancellationToken.None)));
    }

    private async Task SendAsync(string token, long number)
    {
        var random = new Random(unchecked((int)((seed * 1_000_003L) + number)));
        var (stream, inputs) = Draw(token, random);
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await PlayAsync(socket, stream, random);
        }
        catch (Exception exception)
        {
            throw new FuzzFailure("Sockets", $"CHAT_FUZZ_SEED={seed}, stream {number}", stream, exception.Message, exception);
        }

        Interlocked.Add(ref _inputs, inputs);
        Interlocked.Increment(ref _streams);
    }

    /// <summary>Sends a stream that was kept.</summary>
    public async Task ReplayAsync(byte[] stream)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await PlayAsync(socket, stream, new Random(1));
    }

    private async Task PlayAsync(Socket socket, byte[] stream, Random random)
    {
        using var patience = new CancellationTokenSource(ClosedWithin);
        await socket.ConnectAsync(IPAddress.Loopback, port, patience.Token);
        var isReset = random.Next(10) == 0;
        try
        {
            var at = 0;
            foreach (var cut in (int[])[.. random.Next(3) == 0 ? Texts.Cuts(stream.Length, random) : [], stream.Length])
            {
                await SendAllAsync(socket, stream.AsMemory(at..cut), patience.Token);
                at = cut;
            }

            if (isReset)
            {
                // Gone without a word, maybe before anything was read.
                socket.LingerState = new LingerOption(true, 0);
                return;
            }

            socket.Shutdown(SocketShutdown.Send);
            var answer = new byte[4096];
            while (await socket.ReceiveAsync(answer, patience.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // The node may reset a connection of which it does not want to read more.
        }
        catch (OperationCanceledException exception)
        {
            throw new TimeoutException($"The node has not closed the connection within {ClosedWithin.TotalSeconds} s.", exception);
        }
    }

    private static async Task SendAllAsync(Socket socket, ReadOnlyMemory<byte> bytes, CancellationToken stop)
    {
        while (!bytes.IsEmpty)
        {
            bytes = bytes[await socket.SendAsync(bytes, stop)..];
        }
    }

    private static (byte[] Stream, int Inputs) Draw(string token, Random random)
    {
        var deflates = random.Next(2) == 0;
        var stream = new List<byte>();
        if (random.Next(8) == 0)
        {
            stream.AddRange(Heads.Draw(random));
            stream.AddRange(Frames.Text(token));
            return ([.. stream], 1);
        }

        stream.AddRange(Encoding.ASCII.GetBytes(deflates ? DeflatingUpgrade : RawPeer.Upgrade()));
        switch (random.Next(8))
        {
            case 0:
                stream.AddRange(Frames.Frame(Opcode.Text, Firsts.Draw(random)));
                stream.AddRange(Frames.Frame(Opcode.Text, Jsons.Draw(random)));
                return ([.. stream], 2);
            case 1:
                stream.AddRange(Streams.Draw(random));
                return ([.. stream], 1);
            default:
                break;
        }

        stream.AddRange(Frames.Text($$"""{"type":"auth","token":"{{token}}","rooms":[{"room_id":20}]}"""));
        var inputs = 0;
        for (var left = random.Next(1, MostFrames); left > 0; left--)
        {
            inputs++;
            if (random.Next(MostFrames) == 0)
            {
                stream.AddRange(Streams.Draw(random));
                break;
            }

            var json = Jsons.Draw(random);
            var isDeflated = deflates && random.Next(4) == 0;
            stream.AddRange(
                isDeflated ? Frames.Frame(Opcode.Text | (Opcode)Deflated.Rsv1, Deflated.Message(json)) : Frames.Frame(Opcode.Text, json));
            if (!Utf8.IsValid(json))
            {
                // The node closes here: what follows would not be read, and must not be counted.
                break;
            }
        }

        return ([.. stream], inputs);
    }
}
