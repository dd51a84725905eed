using System.Text;
using ChatServer.Bench.Servers;

namespace ChatServer.Bench.Drive;

/// <summary>ChatServer's own protocol (docs/protocol.md): a token and the room in the first frame; each message is acknowledged.</summary>
internal sealed class ChatDialect : Dialect
{
    public const string Name = "chat";

    public override bool HasAcks => true;

    public override string Path(Connection connection) => "/ws";

    public override byte[] Opening(Connection connection, int step) => Encoding.UTF8.GetBytes(
        $$"""{"type":"auth","token":"{{SessionRecords.Token(connection.Index + 1)}}","rooms":[{"room_id":{{connection.Room + 1}}}]}""");

    public override bool Ends(int step, ReadOnlySpan<byte> text) => text.StartsWith("""{"type":"joined","success":true"""u8);

    public override int Write(Connection connection, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame) =>
        ChatFrame.Write(connection.Room + 1, identifier, body, frame);

    public override Reply Read(ReadOnlySpan<byte> text) =>
        text.StartsWith("""{"type":"ack","success":true"""u8) ? Reply.Ack
        : text.StartsWith("""{"type":"info_chat","success":true"""u8) ? Reply.Saved
        : text.IndexOf("\"success\":false"u8) >= 0 ? Reply.Error
        : Reply.Nothing;
}

/// <summary>
/// The naive relay, and the one for Node.js: the room is in the path, the server greets, and a text frame goes to all others as it is.
/// </summary>
internal sealed class NaiveDialect : Dialect
{
    public const string Name = "naive";

    public override string Path(Connection connection) => $"/ws/{connection.Room + 1}";

    public override bool Ends(int step, ReadOnlySpan<byte> text) => text.SequenceEqual("joined"u8);

    public override int Write(Connection connection, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame) =>
        ChatFrame.Write(connection.Room + 1, identifier, body, frame);
}

/// <summary>nchan: the room is in the path, and a text frame goes to all of the channel as it is, the sender among them.</summary>
internal sealed class NchanDialect : Dialect
{
    public const string Name = "nchan";

    /// <summary>What a client says to hear that its channel is served, and the answer.</summary>
    public const string Ping = "ping";
    public const string Pong = "pong";

    public override bool Echoes => true;

    public override string Path(Connection connection) => $"/ws/{connection.Room + 1}";

    public override byte[] Opening(Connection connection, int step) => Encoding.ASCII.GetBytes(Ping);

    public override bool Ends(int step, ReadOnlySpan<byte> text) => text.SequenceEqual(Encoding.ASCII.GetBytes(Pong));

    public override int Write(Connection connection, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame) =>
        ChatFrame.Write(connection.Room + 1, identifier, body, frame);
}

/// <summary>SignalR's JSON protocol without negotiation.</summary>
internal sealed class SignalRDialect : Dialect
{
    public const string Name = "signalr";

    private const string End = "\u001e";

    public override int Steps => 2;

    public override string Path(Connection connection) => "/hub";

    public override byte[] Opening(Connection connection, int step) => Encoding.UTF8.GetBytes(
        step == 0
            ? "{\"protocol\":\"json\",\"version\":1}" + End
            : $$"""{"type":1,"invocationId":"1","target":"Join","arguments":["{{connection.Room + 1}}"]}""" + End);

    public override bool Ends(int step, ReadOnlySpan<byte> text) =>
        step == 0 ? text.StartsWith("{}"u8) : text.IndexOf("\"invocationId\":\"1\""u8) >= 0 && text.IndexOf("\"error\""u8) < 0;

    public override int Write(Connection connection, ReadOnlySpan<byte> identifier, ReadOnlySpan<byte> body, Span<byte> frame)
    {
        var text = new FrameText(frame);
        text.Add("{\"type\":1,\"target\":\"Say\",\"arguments\":[\""u8);
        text.Add(connection.Room + 1);
        text.Add("\",\""u8);
        text.Add(identifier);
        text.Add("\",\""u8);
        text.Add(body);
        text.Add("\"]}\u001e"u8);
        return text.Length;
    }

    public override Reply Read(ReadOnlySpan<byte> text) => text.IndexOf("\"error\""u8) >= 0 ? Reply.Error : Reply.Nothing;
}
