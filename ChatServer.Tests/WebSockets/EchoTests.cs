using System.Diagnostics;
using System.Net.Security;
using System.Net.Sockets;
using System.Net.WebSockets;
using System.Net;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChatServer.Tests.WebSockets;

/// <summary>Clients of other makers against the codec on a real Kestrel.</summary>
public sealed class EchoTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public enum Way
    {
        Plain,
        Tls,
        TlsHttp2,
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.TlsHttp2)]
    public async Task SystemNetWebSockets_MessagesOfManySizes_ComeBackInOrder(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await StartAsync(way);
        using var client = await ConnectAsync(server, way, timeout.Token);
        server.Latest.Should().BeOfType(way == Way.Plain ? typeof(SocketOutbound) : typeof(StreamOutbound));

        foreach (int size in (int[])[0, 1, 125, 126, 65_535, 65_536, 99_999, 1 << 20])
        {
            var bytes = new byte[size];
            new Random(size).NextBytes(bytes);
            var type = size < 100_000 && size % 2 == 1 ? WebSocketMessageType.Text : WebSocketMessageType.Binary;
            if (type == WebSocketMessageType.Text)
            {
                bytes.AsSpan().Fill((byte)'t');
            }

            var sending = SendInPartsAsync(client, bytes, type, timeout.Token);
            var (message, gotType) = await ReceiveAsync(client, timeout.Token);
            await sending;

            gotType.Should().Be(type);
            message.AsSpan().SequenceEqual(bytes).Should().BeTrue("size {0}", size);
        }

        await client.CloseAsync((WebSocketCloseStatus)4123, "mine", timeout.Token);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4123);
        client.CloseStatusDescription.Should().Be("mine");
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.TlsHttp2)]
    public async Task SystemNetWebSockets_ServerCloses_SeesCodeAndReasonAfterWhatWasSent(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await StartAsync(way);
        using var client = await ConnectAsync(server, way, timeout.Token);

        await client.SendAsync("before"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, timeout.Token);
        await client.SendAsync("close 4001 slow_consumer"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, timeout.Token);

        (await ReceiveAsync(client, timeout.Token)).Message.Should().Equal("before"u8.ToArray());
        (await ReceiveAsync(client, timeout.Token)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be((WebSocketCloseStatus)4001);
        client.CloseStatusDescription.Should().Be("slow_consumer");
        await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", timeout.Token);
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.TlsHttp2)]
    public async Task SystemNetWebSockets_TooLargeText_IsClosedWith1009(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await StartAsync(way);
        using var client = await ConnectAsync(server, way, timeout.Token);

        await client.SendAsync(new byte[100_001], WebSocketMessageType.Text, endOfMessage: true, timeout.Token);

        (await ReceiveAsync(client, timeout.Token)).Type.Should().Be(WebSocketMessageType.Close);
        client.CloseStatus.Should().Be(WebSocketCloseStatus.MessageTooBig);
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.TlsHttp2)]
    public async Task PeerThatDoesNotRead_IsSlow_AndAbortGivesItsMemoryBack(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await StartAsync(way);
        using var client = await ConnectAsync(server, way, timeout.Token);

        await client.SendAsync("flood"u8.ToArray(), WebSocketMessageType.Text, endOfMessage: true, timeout.Token);
        var outbound = server.Latest!;
        while (outbound.TrySend([]) != SendResult.Slow)
        {
            await Task.Delay(5, timeout.Token);
        }

        outbound.BufferedBytes.Should().BePositive();
        await outbound.CloseAsync(CloseReason.SlowConsumer, TimeSpan.FromMilliseconds(50)).WaitAsync(timeout.Token);
        outbound.QueuedBytes.Should().BePositive("nobody reads");
        await outbound.DisposeAsync().AsTask().WaitAsync(timeout.Token);

        outbound.BufferedBytes.Should().Be(0);
        outbound.QueuedBytes.Should().Be(0);
    }

    [Theory]
    [InlineData(Way.Plain)]
    [InlineData(Way.Tls)]
    [InlineData(Way.TlsHttp2)]
    public async Task CloseRightAfterTheHandshake_DoesNotOvertakeItsAnswer(Way way)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await StartAsync(way);
        for (int i = 0; i < 20; i++)
        {
            using var client = await ConnectAsync(server, way, timeout.Token, EchoServer.ClosedAtOnce);

            (await ReceiveAsync(client, timeout.Token)).Type.Should().Be(WebSocketMessageType.Close);
            client.CloseStatus.Should().Be((WebSocketCloseStatus)1012);
            await client.CloseOutputAsync(WebSocketCloseStatus.NormalClosure, "", timeout.Token);
        }
    }

    [Fact]
    public async Task PythonWebsockets_Everything_ComesBack()
    {
        const string Python = "/usr/bin/python3";
        await using var server = await StartAsync(Way.Plain);
        var start = new ProcessStartInfo(Python, ["-c", PythonClient, $"ws://127.0.0.1:{server.Port}/"])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var python = Process.Start(start)!;
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var output = python.StandardOutput.ReadToEndAsync(timeout.Token);
        var errors = python.StandardError.ReadToEndAsync(timeout.Token);
        try
        {
            await python.WaitForExitAsync(timeout.Token);
        }
        catch (OperationCanceledException)
        {
            python.Kill();
            throw;
        }

        (await errors).Should().NotContain("ModuleNotFoundError", "this test needs: apt-get install -y python3-websockets");
        (await errors).Should().BeEmpty();
        (await output).Trim().Should().Be("good");
        server.LastEvent.Should().Be(FrameEventKind.Close);
    }

    private const string PythonClient = """
        import asyncio, os, sys
        import websockets

        async def main(url):
            async with websockets.connect(url, max_size=1 << 22, compression=None) as ws:
                for text in ["", "hello", "Grüße 世界 🌍", "x" * 65536]:
                    await ws.send(text)
                    assert await ws.recv() == text
                await ws.send(["frag", "men", "", "ted ✓"])
                assert await ws.recv() == "fragmented ✓"
                blob = os.urandom(1 << 20)
                await ws.send(blob)
                assert await ws.recv() == blob
                await ws.send([blob[:1000], blob[1000:70000], b"", blob[70000:]])
                assert await ws.recv() == blob
                await asyncio.wait_for(await ws.ping(b"are you there"), 5)
                await ws.pong(b"unasked")
                await ws.send("close 4503 session_ended")
                try:
                    await ws.recv()
                    assert False, "not closed"
                except websockets.ConnectionClosed as closed:
                    assert (closed.rcvd.code, closed.rcvd.reason) == (4503, "session_ended"), closed
            async with websockets.connect(url, compression="deflate") as ws:
                assert ws.extensions == [], "no extension was agreed on"
                await ws.send("plain")
                assert await ws.recv() == "plain"
                await ws.close(4321, "mine")
                assert (ws.close_code, ws.close_reason) == (4321, "mine")
            print("good")

        asyncio.run(asyncio.wait_for(main(sys.argv[1]), 40))
        """;

    private static Task<EchoServer> StartAsync(Way way) =>
        EchoServer.StartAsync(
            tls: way != Way.Plain, way == Way.TlsHttp2 ? HttpProtocols.Http2 : HttpProtocols.Http1, direct: way != Way.TlsHttp2);

    private static async Task<ClientWebSocket> ConnectAsync(
        EchoServer server, Way way, CancellationToken cancellationToken, string path = "/")
    {
        var client = new ClientWebSocket();
        using var invoker = new HttpMessageInvoker(new SocketsHttpHandler
        {
            ConnectCallback = async (context, cancellation) =>
            {
                var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveBufferSize = EchoServer.KernelBytes };
                await socket.ConnectAsync(context.DnsEndPoint, cancellation);
                return new NetworkStream(socket, ownsSocket: true);
            },
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => server.Certificate.Equals(shown),
            },
        }, disposeHandler: false);
        client.Options.HttpVersion = way == Way.TlsHttp2 ? HttpVersion.Version20 : HttpVersion.Version11;
        client.Options.HttpVersionPolicy = HttpVersionPolicy.RequestVersionExact;
        await client.ConnectAsync(
            new Uri($"{(way == Way.Plain ? "ws" : "wss")}://localhost:{server.Port}{path}"), invoker, cancellationToken);

        // The answer to the upgrade may be here before the server has noted whose it is.
        await Eventually.TrueAsync(() => server.Latest is not null, Patience, () => "the server serves nobody");
        return client;
    }

    private static async Task SendInPartsAsync(
        ClientWebSocket client, byte[] bytes, WebSocketMessageType type, CancellationToken cancellationToken)
    {
        int half = bytes.Length / 2;
        await client.SendAsync(bytes.AsMemory(0, half), type, endOfMessage: false, cancellationToken);
        await client.SendAsync(bytes.AsMemory(half), type, endOfMessage: true, cancellationToken);
    }

    private static async Task<(byte[] Message, WebSocketMessageType Type)> ReceiveAsync(
        ClientWebSocket client, CancellationToken cancellationToken)
    {
        var message = new MemoryStream();
        var buffer = new byte[32_768];
        ValueWebSocketReceiveResult result;
        do
        {
            result = await client.ReceiveAsync(buffer.AsMemory(), cancellationToken);
            message.Write(buffer.AsSpan(0, result.Count));
        }
        while (!result.EndOfMessage);
        return (message.ToArray(), result.MessageType);
    }
}
