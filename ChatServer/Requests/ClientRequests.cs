using ChatServer.Configuration;
using ChatServer.Protocol;

namespace ChatServer.Requests;

/// <summary>Handles the frames of an authenticated client: checks each and passes it on to the class that carries it out.</summary>
internal sealed class ClientRequests(RoomRequests rooms, MessageRequests messages, FileRequests files, RequestOptions options)
{
    private static readonly byte[] Pong = "{\"type\":\"pong\"}"u8.ToArray();

    /// <summary>Handles a text frame; completes when the next one may follow.</summary>
    public ValueTask HandleAsync(Client client, ReadOnlySpan<byte> text) =>
        client.Lines is { Count: > 0 } lines ? HandleInTurnAsync(client, lines, text.ToArray()) : Handle(client, text);

    private async ValueTask HandleInTurnAsync(Client client, RoomLines lines, byte[] text)
    {
        await lines.TakeTurnAsync();
        try
        {
            await Handle(client, text);
        }
        finally
        {
            lines.EndTurn();
        }
    }

    private ValueTask Handle(Client client, ReadOnlySpan<byte> text)
    {
        var connection = client.Connection;
        var frame = ClientFrameParser.Parse(text, out var problem);
        switch (client.Rate.Take())
        {
            case RateVerdict.Refuse:
                Replies.Error(
                    connection, ErrorCode.RateLimited, $"At most {options.RateLimit} frames a second, {options.RateBurst} at once.", frame);
                return ValueTask.CompletedTask;
            case RateVerdict.Close:
                connection.Close(CloseReason.RateLimited);
                return ValueTask.CompletedTask;
        }

        if (problem is not null)
        {
            Replies.Error(connection, ErrorCode.BadFrame, $"This frame is of no use: {problem}.", frame);
            return ValueTask.CompletedTask;
        }

        var caller = connection.Caller!;
        if ((frame.UserId ?? caller.UserId) != caller.UserId || (frame.CompanyId ?? caller.CompanyId) != caller.CompanyId)
        {
            Replies.Error(connection, ErrorCode.IdentityMismatch, "User or Company id is not correct", frame);
            return ValueTask.CompletedTask;
        }

        var behind = frame.Type == ClientFrameType.Cancel ? client.Lines?.FileRoom ?? 0 : frame.RoomId;
        if (behind != 0 && client.Lines is { } lines && lines.Has(behind))
        {
            if (!lines.TryAdd(behind, text, frame.Type == ClientFrameType.File))
            {
                Replies.Error(connection, ErrorCode.Unavailable, "The room is still being entered; send again later.", frame);
            }

            return ValueTask.CompletedTask;
        }

        if (frame.Type == ClientFrameType.Join && frame.RoomId != 0)
        {
            rooms.Join(client, RequestOf(frame), HandleWaiting);
            return ValueTask.CompletedTask;
        }

        return Route(client, frame);
    }

    /// <summary>Handles a frame that was checked when it came, and has waited since.</summary>
    private ValueTask HandleWaiting(Client client, byte[] text, out RoomRequest? join)
    {
        var frame = ClientFrameParser.Parse(text, out _);
        join = frame.Type == ClientFrameType.Join ? RequestOf(frame) : null;
        return join is null ? Route(client, frame) : ValueTask.CompletedTask;
    }

    private static RoomRequest RequestOf(in ClientFrame frame) =>
        new(frame.RoomId, frame.Since, frame.Epoch.IsEmpty ? null : frame.Epoch.Unescape());

    private ValueTask Route(Client client, in ClientFrame frame)
    {
        switch (frame.Type)
        {
            case ClientFrameType.Ping:
                client.Connection.SendText(Pong);
                return ValueTask.CompletedTask;
            case ClientFrameType.Auth:
                Replies.Error(client.Connection, ErrorCode.BadFrame, "You are authenticated already.");
                return ValueTask.CompletedTask;
            case ClientFrameType.Unknown:
                Replies.Error(client.Connection, ErrorCode.UnknownType, $"There is no type \"{Shown(frame.TypeName)}\".", frame);
                return ValueTask.CompletedTask;
            case ClientFrameType.Cancel:
                return FileRequests.CancelAsync(client, frame.Identifier.Unescape());
            case var _ when frame.RoomId == 0:
                Replies.Error(client.Connection, ErrorCode.BadFrame, "room_id is missing.", frame);
                return ValueTask.CompletedTask;
            case ClientFrameType.Leave:
                rooms.Leave(client, frame.RoomId);
                return ValueTask.CompletedTask;
            case ClientFrameType.File:
                return files.AnnounceAsync(client, frame);
            default:
                return messages.Send(client, frame);
        }
    }

    private static string Shown(JsonText type) => ForeignText.Cut(type.Unescape(), RequestOptions.MaxShownTypeLength);
}
