using System.Net;
using System.Net.Http.Headers;
using System.Net.Security;
using System.Net.Sockets;
using System.Text;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace ChatServer.Tests.WebSockets;

/// <summary>Requests as raw bytes, against a real Kestrel.</summary>
public sealed class WebSocketHandshakeTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    [Fact]
    public void AcceptKey_OfTheRfcsExample_IsAsTheRfcSays() =>
        WebSocketHandshake.AcceptKey(Key).Should().Be("s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");

    [Fact]
    public async Task Upgrade_AsTheRfcShowsIt_IsSwitched()
    {
        string answer = await AskAsync(
            "GET", "Upgrade: websocket", "Connection: Upgrade", $"Sec-WebSocket-Key: {Key}", "Sec-WebSocket-Version: 13");

        answer.Should().StartWith("HTTP/1.1 101 ");
        answer.Should().Contain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n");
        answer.Should().Contain("Upgrade: websocket\r\n").And.Contain("Connection: Upgrade\r\n");
    }

    [Fact]
    public async Task Upgrade_TokensInListsAndOtherCase_IsSwitchedWithoutExtensionOrProtocol()
    {
        string answer = await AskAsync("GET", "Upgrade: h2c, WebSocket", "Connection: keep-alive, UPGRADE", $"Sec-WebSocket-Key: {Key}",
            "Sec-WebSocket-Version: 13", "Sec-WebSocket-Extensions: permessage-deflate", "Sec-WebSocket-Protocol: chat");

        answer.Should().StartWith("HTTP/1.1 101 ");
        answer.Should().NotContain("Sec-WebSocket-Extensions").And.NotContain("Sec-WebSocket-Protocol");
    }

    /// <summary>
    /// A client has to wait for the answer (RFC 6455, section 4.1). Of one that does not, nothing is lost; only that the answer comes first
    /// is promised to those who wait.
    /// </summary>
    [Fact]
    public async Task FramesSentTogetherWithTheUpgrade_AreRead()
    {
        string answer = await AskAsync(
            "GET", "Upgrade: websocket", "Connection: Upgrade", $"Sec-WebSocket-Key: {Key}", "Sec-WebSocket-Version: 13",
            afterHeaders: Encoding.Latin1.GetString([.. ClientFrames.Text("early"), .. ClientFrames.Close(1000)]));

        answer.Should().Contain("HTTP/1.1 101 ").And.Contain("\u0081\u0005early").And.Contain("\u0088\u0002\u0003\u00E8");
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("GET", "Upgrade: websocket")]
    [InlineData("GET", "Connection: Upgrade", "Upgrade: h2c")]
    [InlineData("POST", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: " + Key)]
    public async Task NoUpgrade_Gets426(string method, params string[] headers)
    {
        string answer = await AskAsync(method, headers);

        answer.Should().StartWith("HTTP/1.1 426 ");
        answer.Should().Contain("Upgrade: websocket\r\n").And.Contain("Content-Type: text/plain");
        answer.Should().NotContain("Sec-WebSocket-Version");
    }

    [Theory]
    [InlineData("Sec-WebSocket-Version: 8")]
    [InlineData("Sec-WebSocket-Version: 13, 8")]
    [InlineData("X-None: 1")]
    public async Task OtherVersion_Gets426AndTheVersionSpoken(string version)
    {
        string answer = await AskAsync("GET", "Upgrade: websocket", "Connection: Upgrade", $"Sec-WebSocket-Key: {Key}", version);

        answer.Should().StartWith("HTTP/1.1 426 ").And.Contain("Sec-WebSocket-Version: 13\r\n");
    }

    [Theory]
    [InlineData("X-None: 1")]
    [InlineData("Sec-WebSocket-Key: ")]
    [InlineData("Sec-WebSocket-Key: c2hvcnQ=")]
    [InlineData("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZSE=")]
    [InlineData("Sec-WebSocket-Key: ????????????????????????")]
    [InlineData("Sec-WebSocket-Key: " + Key + "\r\nSec-WebSocket-Key: " + Key)]
    public async Task WrongKey_Gets400(string key)
    {
        string answer = await AskAsync("GET", "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13", key);

        answer.Should().StartWith("HTTP/1.1 400 ").And.Contain("Sec-WebSocket-Key must be");
    }

    [Fact]
    public async Task NoUpgrade_OnHttp2_Gets400WithoutUpgradeHeader()
    {
        await using var server = await EchoServer.StartAsync(tls: true, HttpProtocols.Http2);
        using var http = new HttpClient(new SocketsHttpHandler
        {
            SslOptions = new SslClientAuthenticationOptions
            {
                RemoteCertificateValidationCallback = (_, shown, _, _) => server.Certificate.Equals(shown),
            },
        })
        {
            Timeout = Patience,
            DefaultRequestVersion = HttpVersion.Version20,
            DefaultVersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await http.GetAsync(new Uri($"https://localhost:{server.Port}/"));

        answer.Version.Should().Be(HttpVersion.Version20);
        answer.StatusCode.Should().Be(HttpStatusCode.BadRequest);
        answer.Headers.Upgrade.Should().BeEmpty();
        answer.Content.Headers.ContentType.Should().Be(new MediaTypeHeaderValue("text/plain", "utf-8"));
    }

    private static Task<string> AskAsync(string method, params string[] headers) => AskAsync(method, headers, "");

    private static Task<string> AskAsync(string method, string a, string b, string c, string d, string afterHeaders) =>
        AskAsync(method, [a, b, c, d], afterHeaders);

    private static async Task<string> AskAsync(string method, string[] headers, string afterHeaders)
    {
        using var timeout = new CancellationTokenSource(Patience);
        await using var server = await EchoServer.StartAsync();
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, server.Port, timeout.Token);
        var stream = client.GetStream();
        string request = $"{method} / HTTP/1.1\r\nHost: localhost\r\n{string.Concat(headers.Select(header => header + "\r\n"))}"
            + $"{(method == "POST" ? "Content-Length: 0\r\n" : "")}\r\n{afterHeaders}";
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), timeout.Token);
        string answer = "";
        var buffer = new byte[4096];
        int count;
        while (!IsWhole(answer, afterHeaders) && (count = await stream.ReadAsync(buffer, timeout.Token)) > 0)
        {
            answer += Encoding.Latin1.GetString(buffer, 0, count);
        }

        return answer;
    }

    /// <summary>A switched connection that was given frames says when it is over by its end; every refusal is chunked.</summary>
    private static bool IsWhole(string answer, string afterHeaders) =>
        answer.StartsWith("HTTP/1.1 101", StringComparison.Ordinal)
            ? afterHeaders.Length == 0 && answer.Contains("\r\n\r\n", StringComparison.Ordinal)
            : answer.EndsWith("0\r\n\r\n", StringComparison.Ordinal);
}
