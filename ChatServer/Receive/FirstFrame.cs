using System.Text;
using System.Text.Json;
using ChatServer.Protocol;

namespace ChatServer.Receive;

/// <summary>What the first frame brings: a token, and the rooms to enter in the same step.</summary>
internal sealed record FirstFrame(byte[] Token, IReadOnlyList<RoomRequest> Rooms)
{
    /// <summary>Text that is no JSON object is a bare token; a JSON object must be an auth frame with a token.</summary>
    /// <param name="problem">What is wrong where the result is null.</param>
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

    private static RoomRequest[]? ReadRooms(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty)
        {
            return [];
        }

        try
        {
            var rooms = JsonSerializer.Deserialize(json, ProtocolJson.Default.RoomRequestArray);
            return rooms is not null && Array.TrueForAll(rooms, IsSound) ? [.. rooms.DistinctBy(room => room.RoomId)] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static bool IsSound(RoomRequest? room) =>
        room is { RoomId: >= 1 and <= RoomKey.MaxRoomId, Since: null or (>= 0 and <= RoomKey.MaxRoomId) };
}
