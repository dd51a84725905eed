using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;
using ChatServer.Protocol;

namespace ChatServer.Quantum;

/// <summary>The body of a call that saves many messages (contract 3.4): the fields of <see cref="SaveForm"/>, as JSON.</summary>
internal static class SaveBatchJson
{
    /// <summary>Nobody puts this JSON into a page: what is not ASCII stays as short as it is.</summary>
    private static readonly JsonWriterOptions Plain = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <returns>Content of known length, as with a form.</returns>
    public static HttpContent Of(IReadOnlyList<StoredMessage> messages)
    {
        var body = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(body, Plain))
        {
            writer.WriteStartObject();
            writer.WriteStartArray("messages"u8);
            foreach (var message in messages)
            {
                Write(writer, message);
            }

            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        return new ReadOnlyMemoryContent(body.WrittenMemory) { Headers = { ContentType = new("application/json") } };
    }

    private static void Write(Utf8JsonWriter writer, StoredMessage message)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, message.Type);
        writer.WriteNumber("room_id"u8, message.RoomId);
        writer.WriteNumber("user_id"u8, message.FromUserId);
        writer.WriteNumber("company_id"u8, message.CompanyId);
        writer.WriteString("identifier"u8, message.Identifier);
        writer.WriteString("message_content"u8, message.Body ?? "");
        writer.WriteEndObject();
    }
}
