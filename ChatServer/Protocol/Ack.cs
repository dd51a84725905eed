using System.Buffers.Text;

namespace ChatServer.Protocol;

/// <summary>What a sender is told once its message is stored in Redis and relayed: the <c>ack</c> frame.</summary>
/// <param name="roomId">The message's room.</param>
/// <param name="rawIdentifier">The identifier as the client wrote it, escapes included.</param>
/// <param name="seq">The message's place in the room.</param>
/// <param name="timestamp">The message's.</param>
internal readonly ref struct Ack(long roomId, ReadOnlySpan<byte> rawIdentifier, long seq, ReadOnlySpan<byte> timestamp)
{
    private readonly ReadOnlySpan<byte> _rawIdentifier = rawIdentifier;
    private readonly ReadOnlySpan<byte> _timestamp = timestamp;

    public long RoomId => roomId;

    public ReadOnlySpan<byte> RawIdentifier => _rawIdentifier;

    public ReadOnlySpan<byte> Timestamp => _timestamp;

    /// <summary>Bytes of its JSON.</summary>
    public int Length => "{\"type\":\"ack\",\"success\":true,\"room_id\":,\"identifier\":\"\",\"seq\":,\"timestamp\":\"\"}"u8.Length
        + JsonBytes.Digits(roomId) + _rawIdentifier.Length + JsonBytes.Digits(seq) + _timestamp.Length;

    /// <summary>Makes it from the message itself, so that it doesn't matter which copy of the message comes first.</summary>
    /// <param name="message">
    /// A message that <see cref="MessageComposer"/> composed: in it the identifier's name comes before all that a client wrote.
    /// </param>
    /// <param name="seq">The message's place in the room.</param>
    public static Ack Of(ReadOnlySpan<byte> message, long seq)
    {
        if (!Utf8Parser.TryParse(message[After(message, ",\"room_id\":"u8)..], out long roomId, out _))
        {
            throw new FormatException("The message has no room.");
        }

        var identifier = message[After(message, ",\"identifier\":\""u8)..];
        var length = 0;
        while (identifier[length] != '"')
        {
            length += identifier[length] == '\\' ? 2 : 1;
        }

        // Within a string its quotes would be escaped.
        var timestamp = message[(message.LastIndexOf(",\"timestamp\":\""u8) + ",\"timestamp\":\"".Length)..];
        return new(roomId, identifier[..length], seq, timestamp[..timestamp.IndexOf((byte)'"')]);
    }

    /// <summary>Writes its JSON.</summary>
    public void Write(Span<byte> destination) =>
        new JsonBytes(destination).Raw("{\"type\":\"ack\",\"success\":true,\"room_id\":"u8).Number(roomId)
            .Raw(",\"identifier\":\""u8).Raw(_rawIdentifier)
            .Raw("\",\"seq\":"u8).Number(seq).Raw(",\"timestamp\":\""u8).Raw(_timestamp).Raw("\"}"u8);

    private static int After(ReadOnlySpan<byte> message, ReadOnlySpan<byte> name) => message.IndexOf(name) + name.Length;
}
