using System.Text;
using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Protocol;

namespace ChatServer.Tests.Backplane.Support;

/// <summary>Messages as a node makes them from a client's frame.</summary>
internal static class Drafts
{
    private static int _rooms;

    /// <summary>A room that no other test uses.</summary>
    public static RoomKey NewRoom() => new(3, 1000 + Interlocked.Increment(ref _rooms));

    public static MessageDraft Of(
        RoomKey room, long user, string identifier, string body = "hello", ulong origin = 1, string timestamp = "2026-01-01T10:00:00.000Z")
    {
        var message = MessageComposer.Chat(room, user, Raw(identifier), Raw(body), timestamp);
        return new(room, user, identifier, origin, message, timestamp);
    }

    /// <summary>A message as it is once its seq is known.</summary>
    public static RelayedMessage Message(
        RoomKey room, long seq, long user = 7, ulong origin = 1, string epoch = "e1", string? identifier = null)
    {
        var draft = Of(room, user, identifier ?? $"id{seq}", origin: origin);
        return new(seq, epoch, origin, draft.Json.Number(seq));
    }

    private static JsonText Raw(string text)
    {
        var raw = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(text)[1..^1]);
        return new(raw, raw.Contains((byte)'\\'));
    }
}
