using ChatServer.Deliver;
using ChatServer.Protocol;

namespace ChatServer.Receive;

/// <summary>Handles the frames of an authenticated client: each is checked, then goes to the one who does it.</summary>
internal sealed class ClientRequests(RoomEntrance entrance, Sending sending, FileRequests files, ReceiveOptions options)
{
    private static readonly byte[] Pong = "{\"type\":\"pong\"}"u8.ToArray();

    public ValueTask HandleAsync(Client client, ReadOnlySpan<byte> text)
    {
        var connection = client.Connection;
        var frame = ClientFrameParser.Parse(text, out var problem);
        switch (client.Rate.Take())
        {
            case RateVerdict.Refuse:
                Answers.Error(connection, ErrorCode.RateLimited, $"At most {options.RateLimit} frames a second, {options.RateBurst} at once.", frame);
                return ValueTask.CompletedTask;
            case RateVerdict.Close:
                connection.Close(CloseReason.RateLimited);
                return ValueTask.CompletedTask;
        }

        if (problem is not null)
        {
            Answers.Error(connection, ErrorCode.BadFrame, $"This frame is of no use: {problem}.", frame);
            return ValueTask.CompletedTask;
        }

        var caller = connection.Caller!;
        if ((frame.UserId ?? caller.UserId) != caller.UserId || (frame.CompanyId ?? caller.CompanyId) != caller.CompanyId)
        {
            Answers.Error(connection, ErrorCode.IdentityMismatch, "User or Company id is not correct", frame);
            return ValueTask.CompletedTask;
        }

        return Route(client, frame);
    }

    private ValueTask Route(Client client, in ClientFrame frame)
    {
        switch (frame.Type)
        {
            case ClientFrameType.Ping:
                client.Connection.SendText(Pong);
                return ValueTask.CompletedTask;
            case ClientFrameType.Auth:
                Answers.Error(client.Connection, ErrorCode.BadFrame, "You are authenticated already.");
                return ValueTask.CompletedTask;
            case ClientFrameType.Unknown:
                Answers.Error(client.Connection, ErrorCode.UnknownType, $"There is no type \"{Shown(frame.TypeName)}\".", frame);
                return ValueTask.CompletedTask;
            case ClientFrameType.Cancel:
                return FileRequests.CancelAsync(client, frame.Identifier.Unescape());
            case var _ when frame.RoomId == 0:
                Answers.Error(client.Connection, ErrorCode.BadFrame, "room_id is missing.", frame);
                return ValueTask.CompletedTask;
            case ClientFrameType.Join:
                return entrance.JoinAsync(client, new(frame.RoomId, frame.Since, frame.Epoch.IsEmpty ? null : frame.Epoch.Unescape()));
            case ClientFrameType.Leave:
                entrance.Leave(client, frame.RoomId);
                return ValueTask.CompletedTask;
            case ClientFrameType.File:
                return files.AnnounceAsync(client, frame);
            default:
                return sending.Send(client, frame);
        }
    }

    private static string Shown(JsonText type)
    {
        var text = type.Unescape();
        return text.Length <= 40 ? text : text[..40];
    }
}
