using System.Buffers;
using System.Text.Json;
using System.Text.Unicode;
using ChatServer.WebSockets;

namespace ChatServer.Users;

/// <summary>What may come on a user's channel: a JSON object with a string <c>type</c>, or an array of such objects, which nodes send.</summary>
internal static class UserFrame
{
    /// <returns>The WebSocket frames for the user's connections, one behind the other; null if any of them is none.</returns>
    public static byte[]? ReadAll(ReadOnlySpan<byte> json)
    {
        var frames = new ArrayBufferWriter<byte>();
        if (!json.StartsWith("["u8))
        {
            return TryWrite(frames, json) ? frames.WrittenSpan.ToArray() : null;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            reader.Read();
            while (reader.Read() && reader.TokenType == JsonTokenType.StartObject)
            {
                var start = (int)reader.TokenStartIndex;
                reader.Skip();
                if (!TryWrite(frames, json[start..(int)reader.BytesConsumed]))
                {
                    return null;
                }
            }

            return reader.TokenType == JsonTokenType.EndArray && frames.WrittenCount > 0 && !reader.Read()
                ? frames.WrittenSpan.ToArray()
                : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <returns>The frame for the user's connections; null if it is none. A bare chat message is wrapped as clients know it.</returns>
    public static ReadOnlyMemory<byte>? Read(ReadOnlySpan<byte> json)
    {
        // The JSON reader does not check strings that are not read; a browser that got invalid UTF-8 would close (RFC 6455, section 8.1).
        if (!Utf8.IsValid(json))
        {
            return null;
        }

        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return null;
            }

            bool hasType = false, isChat = false, hasMessages = false;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                var isType = reader.ValueTextEquals("type"u8);
                hasMessages |= reader.ValueTextEquals("messages"u8);
                reader.Read();
                if (isType)
                {
                    hasType = reader.TokenType == JsonTokenType.String;
                    isChat = hasType && reader.ValueTextEquals("chat"u8);
                }

                reader.Skip();
            }

            if (!hasType || reader.Read())
            {
                return null;
            }

            return isChat && !hasMessages
                ? (byte[])[.. "{\"type\":\"chat\",\"success\":true,\"messages\":["u8, .. json, .. "]}"u8]
                : json.ToArray();
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The reader throws the latter for an escaped half of a surrogate pair.
            return null;
        }
    }

    private static bool TryWrite(ArrayBufferWriter<byte> frames, ReadOnlySpan<byte> json)
    {
        if (Read(json) is not { Span: var frame })
        {
            return false;
        }

        frames.Advance(FrameWriter.Write(
            frames.GetSpan(FrameWriter.HeaderLength(frame.Length) + frame.Length), Opcode.Text, frame));
        return true;
    }
}
