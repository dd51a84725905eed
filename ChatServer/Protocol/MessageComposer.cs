using System.Globalization;
using System.Text;
using System.Text.Json;

namespace ChatServer.Protocol;

/// <summary>
/// Composes a message, once, into the exact JSON that every member receives and the log keeps.
/// </summary>
internal static class MessageComposer
{
    private static volatile Stamp? _latest;

    /// <summary>A chat message; what the client wrote is taken over as it wrote it, escapes included.</summary>
    public static UnnumberedMessage Chat(RoomKey room, long userId, JsonText identifier, JsonText body, string timestamp)
    {
        var message = new UnnumberedMessage(
            "{\"type\":\"chat\",\"room_id\":,\"seq\":"u8.Length + JsonBytes.Digits(room.RoomId),
            ",\"identifier\":\"\",\"from_user_id\":,\"company_id\":,\"body\":\"\",\"timestamp\":\"\"}"u8.Length
                + identifier.Raw.Length + JsonBytes.Digits(userId) + JsonBytes.Digits(room.CompanyId) + body.Raw.Length + timestamp.Length);
        new JsonBytes(message.Head.Span).Raw("{\"type\":\"chat\",\"room_id\":"u8).Number(room.RoomId).Raw(",\"seq\":"u8);
        new JsonBytes(message.Tail.Span).Raw(",\"identifier\":\""u8).Raw(identifier.Raw).Raw("\",\"from_user_id\":"u8).Number(userId)
            .Raw(",\"company_id\":"u8).Number(room.CompanyId).Raw(",\"body\":\""u8).Raw(body.Raw)
            .Raw("\",\"timestamp\":\""u8).Ascii(timestamp).Raw("\"}"u8);
        return message;
    }

    /// <summary>A message that brings a file.</summary>
    public static UnnumberedMessage File(
        RoomKey room, long userId, ReadOnlySpan<byte> rawIdentifier, FileDescription file, string timestamp)
    {
        ReadOnlySpan<byte> head = Encoding.UTF8.GetBytes($"{{\"type\":\"file\",\"room_id\":{room.RoomId},\"seq\":");
        ReadOnlySpan<byte> tail =
        [
            .. ",\"identifier\":\""u8, .. rawIdentifier,
            .. Encoding.UTF8.GetBytes($"\",\"from_user_id\":{userId},\"company_id\":{room.CompanyId},\"file\":"),
            .. JsonSerializer.SerializeToUtf8Bytes(file, ProtocolJson.Default.FileDescription),
            .. Encoding.UTF8.GetBytes($",\"timestamp\":\"{timestamp}\"}}"),
        ];
        var message = new UnnumberedMessage(head.Length, tail.Length);
        head.CopyTo(message.Head.Span);
        tail.CopyTo(message.Tail.Span);
        return message;
    }

    /// <summary>ISO 8601 in UTC with milliseconds, like every timestamp in the protocol.</summary>
    public static string Timestamp(DateTimeOffset time)
    {
        // A busy node takes many messages within a millisecond.
        var milliseconds = time.ToUnixTimeMilliseconds();
        if (_latest is not { } stamp || stamp.Milliseconds != milliseconds)
        {
            _latest = stamp = new(milliseconds, time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture));
        }

        return stamp.Text;
    }

    private sealed record Stamp(long Milliseconds, string Text);
}
