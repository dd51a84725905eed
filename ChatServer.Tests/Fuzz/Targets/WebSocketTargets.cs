using System.Buffers;
using System.Text;
using ChatServer.Tests.Fuzz.Support;
using ChatServer.Tests.Support;
using ChatServer.Tests.WebSockets.Support;
using ChatServer.WebSockets;
using static ChatServer.Tests.WebSockets.Support.ClientFrames;

namespace ChatServer.Tests.Fuzz.Targets;

/// <summary>A client's stream, cut anywhere, gives what the standards say, and leaves nothing rented.</summary>
internal sealed class FrameStream : FuzzTarget
{
    private static readonly int[] Limits = [0, 1, 16, 125, 126, 1000, 65_536];

    public override IReadOnlyList<byte[]> Seeds { get; } =
    [
        Text("""{"type":"ping"}"""),
        Join(Text("Grüße ", final: false), Frame(Opcode.Ping, [1, 2, 3]), Frame(Opcode.Continuation, "世"u8), Close(1000)),
        Join(Frame(Opcode.Binary, new byte[300], final: false), Frame(Opcode.Continuation, [7], mask: 0), Frame(Opcode.Pong, [])),
        Join(Text(new string('y', 200)), Frame(Opcode.Binary, new byte[5]), Close(4123, "over"u8.ToArray()), Text("behind it")),
        Join(Frame(Opcode.Text | (Opcode)Deflated.Rsv1, Deflated.Message("compressed, compressed, compressed")), Text("plain")),
        Join(
            Frame(Opcode.Text | (Opcode)Deflated.Rsv1, Deflated.Message(new string('z', 5000)).AsSpan(0, 6), final: false),
            Frame(Opcode.Continuation, Deflated.Message(new string('z', 5000)).AsSpan(6))),
        Join(Frame(Opcode.Binary | (Opcode)Deflated.Rsv1, Deflated.Message(new byte[60_000])), Frame(Opcode.Close, [])),
    ];

    public override bool ReturnsBuffers => true;

    /// <summary>Most of it is what the events are compared by: hexadecimal text.</summary>
    public override long MaxAllocated => 16 << 20;

    public override void Take(byte[] input, Random random)
    {
        var (maxText, maxBinary, deflates) = (Limits[random.Next(Limits.Length)], Limits[random.Next(Limits.Length)], random.Next(3) > 0);
        var expected = new ReferenceReader(maxText, maxBinary, deflates).Read(input);
        using var reader = new FrameReader(maxText, maxBinary, deflates);
        var cuts = Texts.Cuts(input.Length, random);

        var seen = Seen.Joined(Seen.Read(reader, input, cuts));

        Assert.True(
            seen.SequenceEqual(expected),
            $"text {maxText}, binary {maxBinary}, deflate {deflates}, cut at {string.Join(' ', cuts)}:\n"
            + $"{string.Join(", ", seen)}\nwhere the standards want\n{string.Join(", ", expected)}");
    }
}

/// <summary>A handshake's head: whatever is taken past the HTTP server is an upgrade of the ordinary form, in one piece or several.</summary>
internal sealed class UpgradeHead : FuzzTarget
{
    public override IReadOnlyList<byte[]> Seeds { get; } = Texts.Utf8(
        RawPeer.Upgrade(),
        RawPeer.Upgrade(origin: null).Replace("\r\n\r\n", "\r\nCookie: a=b; c=\"d\"\r\n\r\nand more", StringComparison.Ordinal),
        RawPeer.Upgrade().Replace("/ws", "/ws?token=x", StringComparison.Ordinal).Replace(
            "\r\n\r\n", "\r\nSec-WebSocket-Extensions: permessage-deflate; client_max_window_bits, x-y; a=\"b\"\r\n\r\n",
            StringComparison.Ordinal),
        RawPeer.Upgrade().Replace("\r\n\r\n", "\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", StringComparison.Ordinal),
        RawPeer.Upgrade().Replace("\r\n\r\n", "\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc", StringComparison.Ordinal));

    public override bool ReturnsBuffers => true;

    public override void Take(byte[] input, Random random)
    {
        var request = UpgradeRequest.Read(input, "/ws"u8, out var used);

        var cut = random.Next(input.Length + 1);
        var first = new Piece(input.AsMemory(0, cut));
        var pieces = new ReadOnlySequence<byte>(first, 0, first.Append(input.AsMemory(cut)), input.Length - cut);
        Assert.Equal(request, UpgradeRequest.Read(pieces, "/ws"u8, out var usedOfPieces));
        PermessageDeflate.IsOffered(request?.Extensions);
        if (request is null)
        {
            return;
        }

        Assert.Equal(used, usedOfPieces);
        Assert.True(used <= input.Length && input.AsSpan(0, used).EndsWith("\r\n\r\n"u8), "it ends with an empty line");
        Assert.True(WebSocketHandshake.IsKey(Encoding.ASCII.GetBytes(request.Key)), "it has a key");
        var head = Encoding.ASCII.GetString(input.AsSpan(0, used));
        Assert.False(head.Contains("\nTransfer-Encoding:", StringComparison.OrdinalIgnoreCase), "what has a body is the HTTP server's");
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
