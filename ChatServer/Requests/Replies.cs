using System.Text.Json;
using ChatServer.Connections;
using ChatServer.Protocol;

namespace ChatServer.Requests;

/// <summary>Answers to one connection, outside the order of any room.</summary>
internal static class Replies
{
    public static void Error(Connection connection, string code, string message, long roomId = 0, string? identifier = null) =>
        connection.SendText(JsonSerializer.SerializeToUtf8Bytes(
            new ErrorFrame("info", false, code, message, roomId == 0 ? null : roomId, identifier, null), ProtocolJson.Default.ErrorFrame));

    /// <summary>An error about a frame, with the room and identifier that it names.</summary>
    public static void Error(Connection connection, string code, string message, in ClientFrame frame) =>
        Error(connection, code, message, frame.RoomId, frame.Identifier.IsEmpty ? null : frame.Identifier.Unescape());

    public static void AuthFailed(Connection connection, CloseReason reason, string message)
    {
        connection.SendText(JsonSerializer.SerializeToUtf8Bytes(
            new AuthFailedFrame("auth", false, reason.Text, message), ProtocolJson.Default.AuthFailedFrame));
        connection.Close(reason);
    }
}
