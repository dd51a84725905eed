using System.Buffers;
using System.Text;
using ChatServer.WebSockets;

namespace ChatServer.Tests.WebSockets;

public sealed class UpgradeRequestTests
{
    private const string Key = "dGhlIHNhbXBsZSBub25jZQ==";

    [Theory]
    [InlineData("/ws")]
    [InlineData("/ws?v=2")]
    public void AsABrowserSendsIt_IsRead(string target)
    {
        var head = $"GET {target} HTTP/1.1\r\nHost: localhost:8888\r\nConnection: keep-alive, Upgrade\r\nPragma: no-cache\r\n"
            + "User-Agent: Mozilla/5.0 (X11; Linux)\r\nUpgrade: WebSocket\r\nOrigin: http://localhost\r\nSec-WebSocket-Version: 13\r\n"
            + $"Cookie: a=b\r\nsec-websocket-key:{Key}\r\n\r\n";

        Read(head + "rest", out var used).Should().Be(new UpgradeRequest(Key, "http://localhost"));
        used.Should().Be(head.Length);
    }

    [Fact]
    public void WithoutOrigin_HasNone() => Read(Head(without: "Origin"))!.Origin.Should().BeNull();

    [Fact]
    public void CutAnywhere_IsNotRead()
    {
        var head = Head();
        for (var length = 0; length < head.Length; length++)
        {
            Read(head[..length]).Should().BeNull("it is {0} of {1} bytes", length, head.Length);
        }
    }

    [Theory]
    [InlineData("Host")]
    [InlineData("Upgrade")]
    [InlineData("Connection")]
    [InlineData("Sec-WebSocket-Version")]
    [InlineData("Sec-WebSocket-Key")]
    public void WithoutWhatIsNeeded_OrTwice_IsLeftToHttp(string field)
    {
        Read(Head(without: field)).Should().BeNull();
        var line = Head().Split("\r\n").Single(line => line.StartsWith(field + ":", StringComparison.Ordinal));
        Read(Head(more: line)).Should().BeNull();
    }

    [Theory]
    [InlineData("Origin: http://other")]
    [InlineData("Content-Length: 0")]
    [InlineData("Transfer-Encoding: chunked")]
    [InlineData("Expect: 100-continue")]
    [InlineData("X-Name : value")]
    [InlineData(" folded")]
    [InlineData("no colon")]
    [InlineData("X-Name: v\0")]
    [InlineData("X-Name: v\u007F")]
    [InlineData("X-Name: a\rb")]
    [InlineData("X-Name: a\nContent-Length: 5")]
    [InlineData(": no name")]
    public void WithAnOddLine_IsLeftToHttp(string line) => Read(Head(more: line)).Should().BeNull();

    [Theory]
    [InlineData("GET /ws HTTP/1.1", "GET /ws HTTP/1.0")]
    [InlineData("GET /ws HTTP/1.1", "GET HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.1", "POST /ws HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.1", "GET /wss HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.1", "GET /ws/ HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.1", "GET /ws?a b HTTP/1.1")]
    [InlineData("GET /ws HTTP/1.1", "GET http://localhost/ws HTTP/1.1")]
    [InlineData("Host: localhost", "Host: ")]
    [InlineData("Host: localhost", "Host: a/b")]
    [InlineData("Upgrade: websocket", "Upgrade: h2c")]
    [InlineData("Connection: Upgrade", "Connection: keep-alive, upgrades")]
    [InlineData("Sec-WebSocket-Version: 13", "Sec-WebSocket-Version: 8")]
    [InlineData(Key, "dGhlIHNhbXBsZSBub25jZQ=")]
    [InlineData(Key, "dGhlIHNhbXBsZSBub25jZQ!!")]
    [InlineData(Key, "dGhlIHNhbXBsZSBub25jZXh4")]
    public void WithSomethingElse_IsLeftToHttp(string ordinary, string other) =>
        Read(Head().Replace(ordinary, other, StringComparison.Ordinal)).Should().BeNull();

    [Fact]
    public void InPieces_IsReadAsAWhole()
    {
        var head = Encoding.ASCII.GetBytes(Head());
        for (var cut = 1; cut < head.Length; cut++)
        {
            var first = new Piece(head.AsMemory(0, cut));
            var input = new ReadOnlySequence<byte>(first, 0, first.Append(head.AsMemory(cut)), head.Length - cut);

            UpgradeRequest.Read(input, "/ws"u8, out var used).Should().Be(new UpgradeRequest(Key, "http://localhost"));
            used.Should().Be(head.Length);
        }
    }

    [Fact]
    public void VeryLong_IsLeftToHttp()
    {
        Read(Head(more: "Cookie: " + new string('c', 12 * 1024))).Should().NotBeNull();
        Read(Head(more: "Cookie: " + new string('c', 17 * 1024))).Should().BeNull();
    }

    private static UpgradeRequest? Read(string head) => Read(head, out _);

    private static UpgradeRequest? Read(string head, out int used) =>
        UpgradeRequest.Read(Encoding.Latin1.GetBytes(head), "/ws"u8, out used);

    private static string Head(string? without = null, string? more = null)
    {
        string?[] lines =
        [
            "GET /ws HTTP/1.1", "Host: localhost", "Connection: Upgrade", "Upgrade: websocket", "Origin: http://localhost",
                $"Sec-WebSocket-Key: {Key}",
            "Sec-WebSocket-Version: 13", more,
        ];
        return string.Concat(
            lines.Where(line => line is not null && (without is null || !line.StartsWith(without + ":", StringComparison.Ordinal)))
            .Select(line => line + "\r\n")) + "\r\n";
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public Piece(ReadOnlyMemory<byte> memory) => Memory = memory;

        public Piece Append(ReadOnlyMemory<byte> memory)
        {
            var next = new Piece(memory) { RunningIndex = Memory.Length };
            Next = next;
            return next;
        }
    }
}
