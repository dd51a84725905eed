using System.Buffers.Text;
using System.Text.Json;

namespace ChatServer.Protocol;

/// <summary>
/// Reads a client's text frame into a <see cref="ClientFrame"/>; what is wrong with it comes back as a sentence for the client.
/// </summary>
internal static class ClientFrameParser
{
    /// <summary>Identifiers are 1 to 128 characters (UTF-16 code units, as a browser counts them).</summary>
    public const int MaxIdentifierLength = 128;

    /// <summary>An epoch of ours is far shorter; a longer one can't match and need not be kept.</summary>
    private const int MaxEpochLength = 64;

    /// <param name="json">The frame; the result keeps slices of it.</param>
    /// <param name="problem">
    /// Null if the frame is usable; else what is wrong with it. Members that are sound are set all the same.
    /// </param>
    public static ClientFrame Parse(ReadOnlySpan<byte> json, out string? problem)
    {
        var frame = default(ClientFrame);
        problem = Read(json, ref frame);
        return frame;
    }

    private static string? Read(ReadOnlySpan<byte> json, ref ClientFrame frame)
    {
        try
        {
            var reader = new Utf8JsonReader(json);
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return "a frame is a JSON object";
            }

            string? problem = null;
            while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
            {
                // The whole object is read though a member is bad: an error names room and identifier wherever they stand.
                problem = TryReadMember(ref reader, json, ref frame) ?? problem;
            }

            if (reader.Read())
            {
                return "a frame is one JSON object";
            }

            return problem ?? (frame.TypeName.IsEmpty ? "type is missing" : null);
        }
        catch (JsonException)
        {
            return "not valid JSON";
        }
    }

    private static string? TryReadMember(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref ClientFrame frame)
    {
        try
        {
            return ReadMember(ref reader, json, ref frame);
        }
        catch (InvalidOperationException)
        {
            // Utf8JsonReader throws it for an escaped surrogate without its other half, which UTF-8 can't represent.
            reader.Skip();
            return "a string holds half of a surrogate pair";
        }
    }

    private static string? ReadMember(scoped ref Utf8JsonReader reader, ReadOnlySpan<byte> json, ref ClientFrame frame)
    {
        if (reader.ValueTextEquals("type"u8))
        {
            reader.Read();
            if (CharacterCount(ref reader) < 0)
            {
                reader.Skip();
                return "type is not a string";
            }

            frame.TypeName = Text(ref reader);
            frame.Type = TypeOf(ref reader);
            return null;
        }

        if (reader.ValueTextEquals("room_id"u8))
        {
            reader.Read();
            frame.RoomId = Integer(ref reader, 1);
            return frame.RoomId < 0 ? Forget(ref frame) : null;
        }

        if (reader.ValueTextEquals("since"u8))
        {
            reader.Read();
            if (reader.TokenType == JsonTokenType.Null)
            {
                return null;
            }

            frame.Since = Integer(ref reader, 0);
            return frame.Since < 0 ? "since is not an integer from 0 to 2^53-1" : null;
        }

        if (reader.ValueTextEquals("identifier"u8))
        {
            reader.Read();
            frame.Identifier = default;
            var identifier = String(ref reader);
            if (CharacterCount(ref reader) is not (> 0 and <= MaxIdentifierLength))
            {
                return "identifier is not a string of 1 to 128 characters";
            }

            // Only now: answers to the frame write the identifier out.
            frame.Identifier = identifier;
            return null;
        }

        if (reader.ValueTextEquals("body"u8))
        {
            reader.Read();
            frame.Body = String(ref reader);
            return CharacterCount(ref reader) > 0 ? null : "body is not a string of at least one character";
        }

        // Members of files are checked in file frames only: elsewhere they are unknown members, which are ignored.
        if (reader.ValueTextEquals("name"u8))
        {
            reader.Read();
            frame.Name = String(ref reader);
            return null;
        }

        if (reader.ValueTextEquals("content_type"u8))
        {
            reader.Read();
            frame.ContentType = String(ref reader);
            return null;
        }

        if (reader.ValueTextEquals("size"u8))
        {
            reader.Read();
            var size = Integer(ref reader, 0);
            frame.Size = size < 0 ? null : size;
            return null;
        }

        if (reader.ValueTextEquals("epoch"u8))
        {
            reader.Read();
            frame.Epoch = String(ref reader);
            return CharacterCount(ref reader) is >= 0 and <= MaxEpochLength || reader.TokenType == JsonTokenType.Null
                ? null
                : "epoch is not a short string";
        }

        if (reader.ValueTextEquals("token"u8))
        {
            reader.Read();
            frame.Token = String(ref reader);
            return CharacterCount(ref reader) >= 0 ? null : "token is not a string";
        }

        if (reader.ValueTextEquals("user_id"u8))
        {
            reader.Read();
            frame.UserId = Claim(ref reader);
            return null;
        }

        if (reader.ValueTextEquals("company_id"u8))
        {
            reader.Read();
            frame.CompanyId = Claim(ref reader);
            return null;
        }

        var isRooms = reader.ValueTextEquals("rooms"u8);
        reader.Read();
        var start = (int)reader.TokenStartIndex;
        reader.Skip();
        if (isRooms && reader.TokenType != JsonTokenType.Null)
        {
            frame.Rooms = json[start..(int)reader.BytesConsumed];
        }

        return null;
    }

    private static ClientFrameType TypeOf(scoped ref Utf8JsonReader reader) =>
        reader.ValueTextEquals("chat"u8) ? ClientFrameType.Chat
        : reader.ValueTextEquals("ping"u8) ? ClientFrameType.Ping
        : reader.ValueTextEquals("file"u8) ? ClientFrameType.File
        : reader.ValueTextEquals("cancel"u8) ? ClientFrameType.Cancel
        : reader.ValueTextEquals("join"u8) ? ClientFrameType.Join
        : reader.ValueTextEquals("leave"u8) ? ClientFrameType.Leave
        : reader.ValueTextEquals("auth"u8) ? ClientFrameType.Auth
        : ClientFrameType.Unknown;

    private static string Forget(ref ClientFrame frame)
    {
        frame.RoomId = 0;
        return "room_id is not an integer from 1 to 2^53-1";
    }

    /// <summary>-1 stands for everything that is no integer in range; the reader is past the value.</summary>
    private static long Integer(scoped ref Utf8JsonReader reader, long least)
    {
        if (reader.TokenType == JsonTokenType.Number && reader.TryGetInt64(out var value) && value >= least && value <= RoomKey.MaxRoomId)
        {
            return value;
        }

        reader.Skip();
        return -1;
    }

    /// <summary>An id that the client claims; older front ends send it as a string of digits.</summary>
    private static long? Claim(scoped ref Utf8JsonReader reader)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.Null:
                return null;
            case JsonTokenType.Number when reader.TryGetInt64(out var number):
                return number;
            case JsonTokenType.String when Utf8Parser.TryParse(reader.ValueSpan, out long text, out var used)
                && used == reader.ValueSpan.Length:
                return text;
            default:
                reader.Skip();
                return -1;
        }
    }

    private static JsonText String(scoped ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return Text(ref reader);
        }

        reader.Skip();
        return default;
    }

    private static JsonText Text(scoped ref Utf8JsonReader reader) => new(reader.ValueSpan, reader.ValueIsEscaped);

    /// <summary>The length of the string that the reader stands on, in UTF-16 code units; -1 if it stands on something else.</summary>
    /// <exception cref="InvalidOperationException">The string has half of a surrogate pair.</exception>
    private static int CharacterCount(scoped ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.String)
        {
            return -1;
        }

        return reader.ValueIsEscaped ? reader.GetString()!.Length : System.Text.Encoding.UTF8.GetCharCount(reader.ValueSpan);
    }
}
