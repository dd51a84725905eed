using System.Text;
using System.Text.Json;
using ChatServer.Protocol;

namespace ChatServer.Requests;

/// <summary>What the first frame brings: a token, and the rooms to enter in the same step.</summary>
internal sealed record FirstFrame(byte[] Token, IReadOnlyList<RoomRequest> Rooms)
{
    /// <summary>Text that is no JSON object is a bare token; a JSON object must be an auth frame with a token.</summary>
    /// <param name="problem">What is wrong if the result is null.</param>
    public static FirstFrame? Read(ReadOnlySpan<byte> text, out string? problem)
    {
        if (!IsJsonObject(text))
        {
            problem = null;
            return new(text.Trim(" \t\r\n"u8).ToArray(), []);
        }

        var frame = ClientFrameParser.Parse(text, out problem);
        if (problem is null && (frame.Type != ClientFrameType.Auth || frame.Token.Raw.IsEmpty))
        {
            problem = "the first frame must be an auth frame with a token";
        }

        IReadOnlyList<RoomRequest>? rooms = problem is null ? ReadRooms(frame.Rooms) : null;
        if (rooms is null)
        {
            problem ??= "rooms is not an array of objects with room_id, since and epoch";
            return null;
        }

        return new(Encoding.UTF8.GetBytes(frame.Token.Unescape()), rooms);
    }

    private static bool IsJsonObject(ReadOnlySpan<byte> text)
    {
        var reader = new Utf8JsonReader(text);
        try
        {
            if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject)
            {
                return false;
            }

            reader.Skip();
            return !reader.Read();
        }
        catch (JsonException)
        {
            return false;
        }
    }

    private static List<RoomRequest>? ReadRooms(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            return [];
        }

        var rooms = new List<RoomRequest>();
        var reader = new Utf8JsonReader(json);
        try
        {
            reader.Read();
            if (reader.TokenType != JsonTokenType.StartArray)
            {
                return null;
            }

            while (reader.Read() && reader.TokenType != JsonTokenType.EndArray)
            {
                if (ReadRoom(ref reader) is not { } room || !IsSound(room))
                {
                    return null;
                }

                rooms.Add(room);
            }

            return rooms.Count < 2 ? rooms : [.. rooms.DistinctBy(room => room.RoomId)];
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or FormatException)
        {
            // A value of the wrong type.
            return null;
        }
    }

    private static RoomRequest? ReadRoom(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            return null;
        }

        long roomId = 0;
        long? since = null;
        string? epoch = null;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var isRoom = reader.ValueTextEquals("room_id"u8);
            var isSince = reader.ValueTextEquals("since"u8);
            var isEpoch = reader.ValueTextEquals("epoch"u8);
            reader.Read();
            if (isRoom)
            {
                roomId = reader.GetInt64();
            }
            else if (isSince)
            {
                since = reader.TokenType == JsonTokenType.Null ? null : reader.GetInt64();
            }
            else if (isEpoch)
            {
                epoch = reader.GetString();
            }
            else
            {
                reader.Skip();
            }
        }

        return new(roomId, since, epoch);
    }

    private static bool IsSound(RoomRequest room) =>
        room is { RoomId: >= 1 and <= RoomKey.MaxRoomId, Since: null or (>= 0 and <= RoomKey.MaxRoomId) };
}
