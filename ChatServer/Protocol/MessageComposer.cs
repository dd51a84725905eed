using System.Buffers.Text;
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ChatServer.Protocol;

/// <summary>
/// Composes a message, once, into the exact JSON that every member receives and the log keeps. Its seq is known only to the step that accepts it,
/// so a message is two halves with a gap where the digits go.
/// </summary>
internal static class MessageComposer
{
    /// <summary>The longest seq in digits (a positive long).</summary>
    public const int MaxSeqDigits = 19;

    /// <summary>The two halves of a chat message; what the client wrote is taken over as it wrote it, escapes included.</summary>
    public static (byte[] Head, byte[] Tail) Chat(RoomKey room, long userId, JsonText identifier, JsonText body, string timestamp)
    {
        var head = new byte["{\"type\":\"chat\",\"room_id\":,\"seq\":"u8.Length + Digits(room.RoomId)];
        new Writer(head).Raw("{\"type\":\"chat\",\"room_id\":"u8).Number(room.RoomId).Raw(",\"seq\":"u8);

        var tail = new byte[",\"identifier\":\"\",\"from_user_id\":,\"company_id\":,\"body\":\"\",\"timestamp\":\"\"}"u8.Length
            + identifier.Raw.Length + Digits(userId) + Digits(room.CompanyId) + body.Raw.Length + timestamp.Length];
        new Writer(tail).Raw(",\"identifier\":\""u8).Raw(identifier.Raw).Raw("\",\"from_user_id\":"u8).Number(userId)
            .Raw(",\"company_id\":"u8).Number(room.CompanyId).Raw(",\"body\":\""u8).Raw(body.Raw)
            .Raw("\",\"timestamp\":\""u8).Ascii(timestamp).Raw("\"}"u8);
        return (head, tail);
    }

    /// <summary>The two halves of a message that brings a file.</summary>
    public static (byte[] Head, byte[] Tail) File(RoomKey room, long userId, ReadOnlySpan<byte> rawIdentifier, FileDescription file, string timestamp) =>
    (
        Encoding.UTF8.GetBytes($"{{\"type\":\"file\",\"room_id\":{room.RoomId},\"seq\":"),
        [
            .. ",\"identifier\":\""u8, .. rawIdentifier, .. Encoding.UTF8.GetBytes($"\",\"from_user_id\":{userId},\"company_id\":{room.CompanyId},\"file\":"),
            .. JsonSerializer.SerializeToUtf8Bytes(file, ProtocolJson.Default.FileDescription), .. Encoding.UTF8.GetBytes($",\"timestamp\":\"{timestamp}\"}}"),
        ]);

    /// <summary>The whole message once its seq is known.</summary>
    public static byte[] Join(ReadOnlySpan<byte> head, long seq, ReadOnlySpan<byte> tail)
    {
        var whole = new byte[head.Length + Digits(seq) + tail.Length];
        new Writer(whole).Raw(head).Number(seq).Raw(tail);
        return whole;
    }

    /// <summary>The sender's receipt: stored in Redis and relayed.</summary>
    public static byte[] Ack(long roomId, ReadOnlySpan<byte> rawIdentifier, long seq, ReadOnlySpan<byte> timestamp)
    {
        var ack = new byte["{\"type\":\"ack\",\"success\":true,\"room_id\":,\"identifier\":\"\",\"seq\":,\"timestamp\":\"\"}"u8.Length
            + Digits(roomId) + rawIdentifier.Length + Digits(seq) + timestamp.Length];
        new Writer(ack).Raw("{\"type\":\"ack\",\"success\":true,\"room_id\":"u8).Number(roomId).Raw(",\"identifier\":\""u8).Raw(rawIdentifier)
            .Raw("\",\"seq\":"u8).Number(seq).Raw(",\"timestamp\":\""u8).Raw(timestamp).Raw("\"}"u8);
        return ack;
    }

    /// <summary>Reads from a whole message what its ack says.</summary>
    /// <param name="message">A message that this class composed.</param>
    /// <param name="rawIdentifier">The identifier as the client wrote it, escapes included.</param>
    public static void ReadReceipt(
        ReadOnlySpan<byte> message, out long roomId, out ReadOnlySpan<byte> rawIdentifier, out ReadOnlySpan<byte> timestamp)
    {
        roomId = 0;
        rawIdentifier = default;
        timestamp = default;
        var reader = new Utf8JsonReader(message);
        reader.Read();
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("room_id"u8))
            {
                reader.Read();
                roomId = reader.GetInt64();
            }
            else if (reader.ValueTextEquals("identifier"u8))
            {
                reader.Read();
                rawIdentifier = reader.ValueSpan;
            }
            else if (reader.ValueTextEquals("timestamp"u8))
            {
                reader.Read();
                timestamp = reader.ValueSpan;
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
    }

    /// <summary>ISO 8601 in UTC with milliseconds, as every timestamp of ours.</summary>
    public static string Timestamp(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    private static int Digits(long value)
    {
        Span<byte> digits = stackalloc byte[MaxSeqDigits + 1];
        Utf8Formatter.TryFormat(value, digits, out var count);
        return count;
    }

    private ref struct Writer(Span<byte> rest)
    {
        private Span<byte> _rest = rest;

        public Writer Raw(ReadOnlySpan<byte> bytes)
        {
            bytes.CopyTo(_rest);
            _rest = _rest[bytes.Length..];
            return this;
        }

        public Writer Number(long value)
        {
            Utf8Formatter.TryFormat(value, _rest, out var count);
            _rest = _rest[count..];
            return this;
        }

        public Writer Ascii(string text)
        {
            Encoding.ASCII.GetBytes(text, _rest);
            _rest = _rest[text.Length..];
            return this;
        }
    }
}
