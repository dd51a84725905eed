using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using ChatServer.Connections;
using ChatServer.Protocol;
using ChatServer.WebSockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging;

namespace ChatServer.Tests.WebSockets.Support;

/// <summary>
/// The codec and the outbound on a real Kestrel: says everything back, pings included. The text <c>close 4001 why</c> makes it close, and
/// <c>flood</c> makes it send without reading whether anybody reads.
/// </summary>
internal sealed class EchoServer : IAsyncDisposable
{
    /// <summary>The path where the server closes with 1012 before the client says a word.</summary>
    public const string ClosedAtOnce = "/closed";

    public const int LimitBytes = 4 << 20;

    /// <summary>What the kernel may hold of a connection, on each side.</summary>
    public const int KernelBytes = 64 << 10;
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(5);
    private readonly WebApplication _app;

    private EchoServer(WebApplication app, X509Certificate2 certificate)
    {
        _app = app;
        Certificate = certificate;
    }

    public X509Certificate2 Certificate { get; }

    public int Port => new Uri(_app.Urls.First()).Port;

    /// <summary>The way of the latest connection's bytes.</summary>
    public Outbound? Latest { get; private set; }

    public FrameEventKind LastEvent { get; private set; }

    public CloseReason LastReason { get; private set; }

    /// <param name="direct">Whether upgrades are served on the connection itself, as the service does it, and not in HTTP.</param>
    public static async Task<EchoServer> StartAsync(
        bool tls = false, HttpProtocols protocols = HttpProtocols.Http1AndHttp2, bool direct = false)
    {
        EchoServer? server = null;
        var certificate = SelfSigned();
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseSockets(transport => transport.CreateBoundListenSocket = endPoint =>
        {
            // Accepted sockets inherit it: the kernel holds little for a peer that does not read, whatever it would grow to by itself.
            var socket = SocketTransportOptions.CreateDefaultBoundListenSocket(endPoint);
            socket.SendBufferSize = KernelBytes;
            return socket;
        });
        builder.WebHost.UseKestrelHttpsConfiguration().ConfigureKestrel(kestrel => kestrel.Listen(IPAddress.Loopback, 0, listen =>
        {
            listen.Protocols = tls ? protocols : HttpProtocols.Http1;
            if (tls)
            {
                listen.UseHttps(certificate);
            }

            if (direct)
            {
                listen.Use(next => connection => server!.ServeDirectlyAsync(connection));
            }
        }));
        server = new EchoServer(builder.Build(), certificate);
        server._app.Run(server.ServeAsync);
        await server._app.StartAsync();
        return server;
    }

    public async ValueTask DisposeAsync()
    {
        using var now = new CancellationTokenSource(TimeSpan.FromMilliseconds(100));
        await _app.StopAsync(now.Token);
        await _app.DisposeAsync();
        Certificate.Dispose();
    }

    private async Task ServeAsync(HttpContext context)
    {
        if (await WebSocketHandshake.AcceptAsync(context) is not { } stream)
        {
            return;
        }

        await using var outbound = new StreamOutbound(stream, LimitBytes);
        await EchoAsync(stream, outbound, context.Request.Path == ClosedAtOnce);
    }

    private async Task ServeDirectlyAsync(ConnectionContext connection)
    {
        var input = connection.Transport.Input;
        var received = (await input.ReadAsync()).Buffer;
        var isClosedAtOnce = UpgradeRequest.Read(received, Encoding.ASCII.GetBytes(ClosedAtOnce), out var used) is not null;
        var request = UpgradeRequest.Read(received, isClosedAtOnce ? Encoding.ASCII.GetBytes(ClosedAtOnce) : "/"u8, out used)!;
        input.AdvanceTo(received.GetPosition(used));
        await using var outbound = Outbound.Over(connection, LimitBytes);
        outbound.TrySend(WebSocketHandshake.Answer(request.Key));
        await EchoAsync(input.AsStream(), outbound, isClosedAtOnce);
    }

    private async Task EchoAsync(Stream stream, Outbound outbound, bool isClosedAtOnce)
    {
        Latest = outbound;
        if (isClosedAtOnce)
        {
            await outbound.CloseAsync(CloseReason.Restart, Grace);
        }

        using var reader = new FrameReader(100_000, 2 << 20);
        var binary = new List<byte>();
        var buffer = new byte[16_384];
        try
        {
            int count;
            while ((count = await stream.ReadAsync(buffer)) > 0)
            {
                await Take(buffer.AsSpan(0, count), reader, outbound, binary);
                if (LastEvent == FrameEventKind.Close)
                {
                    // Both sides have said close: it is the server that ends the connection (RFC 6455, section 7.1.1).
                    break;
                }

                await outbound.WaitForDrainAsync(LimitBytes / 2);
            }
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            // A client that is gone is an expected end.
        }
    }

    private Task Take(Span<byte> input, FrameReader reader, Outbound outbound, List<byte> binary)
    {
        Task closing = Task.CompletedTask;
        while (true)
        {
            var happened = reader.Read(ref input);
            if (happened.Kind == FrameEventKind.None)
            {
                return closing;
            }

            LastEvent = happened.Kind;
            LastReason = happened.Reason;
            switch (happened.Kind)
            {
                case FrameEventKind.Text:
                    closing = Say(Encoding.UTF8.GetString(happened.Payload), outbound);
                    break;
                case FrameEventKind.Binary:
                    binary.AddRange(happened.Payload);
                    if (happened.EndOfMessage)
                    {
                        outbound.TrySend(FrameWriter.Frame(Opcode.Binary, [.. binary]));
                        binary.Clear();
                    }

                    break;
                case FrameEventKind.Ping:
                    outbound.TrySend(FrameWriter.Frame(Opcode.Pong, happened.Payload));
                    break;
                case FrameEventKind.Close or FrameEventKind.Violation:
                    closing = outbound.CloseAsync(happened.Reason, Grace);
                    break;
                default:
                    break;
            }
        }
    }

    private static Task Say(string text, Outbound outbound)
    {
        if (text.Split(' ', 3) is ["close", var code, var why])
        {
            return outbound.CloseAsync(new CloseReason(ushort.Parse(code, CultureInfo.InvariantCulture), why), Grace);
        }

        if (text == "flood")
        {
            byte[] frame = FrameWriter.Frame(Opcode.Binary, new byte[60_000]);
            for (int i = 0; i < 1000 && outbound.TrySend(frame) == SendResult.Sent; i++)
            {
            }

        }
        else
        {
            outbound.TrySend(FrameWriter.Frame(Opcode.Text, Encoding.UTF8.GetBytes(text)));
        }

        return Task.CompletedTask;
    }

    private static X509Certificate2 SelfSigned()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=localhost", key, HashAlgorithmName.SHA256);
        var now = TimeProvider.System.GetUtcNow();
        return request.CreateSelfSigned(now.AddHours(-1), now.AddHours(1));
    }
}
