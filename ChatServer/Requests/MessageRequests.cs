using System.Text;
using ChatServer.Backplane;
using ChatServer.Protocol;
using ChatServer.Redis;
using ChatServer.Rooms;
using ChatServer.Rooms.Fanout;
using ChatServer.Sessions;

namespace ChatServer.Requests;

/// <summary>
/// Takes a client's message to the accept step, and its ack back. Messages of one connection to one room are accepted in the order in which
/// they came.
/// </summary>
internal sealed partial class MessageRequests(
    IBackplane backplane, UserTokens tokens, TimeProvider time, ILogger<MessageRequests> logger)
{
    public ValueTask Send(Client client, in ClientFrame frame)
    {
        var connection = client.Connection;
        if (frame.Identifier.IsEmpty || frame.Body.IsEmpty)
        {
            Replies.Error(connection, ErrorCode.BadFrame, frame.Identifier.IsEmpty ? "identifier is missing." : "body is missing.", frame);
            return ValueTask.CompletedTask;
        }

        if (client.MemberOf(frame.RoomId) is not { } member)
        {
            Replies.Error(connection, ErrorCode.NotInRoom, "Join the room before you send to it.", frame);
            return ValueTask.CompletedTask;
        }

        var timestamp = MessageComposer.Timestamp(time.GetUtcNow());
        var message = MessageComposer.Chat(member.Room.Key, connection.Caller!.UserId, frame.Identifier, frame.Body, timestamp);
        var draft = Draft(member, frame.Identifier.Unescape(), message, timestamp);
        if (client.Accepting.Wait(0))
        {
            Accept(client, member, draft);
            return ValueTask.CompletedTask;
        }

        return WaitThenAcceptAsync(client, member, draft);
    }

    /// <summary>Sends a message that is composed already; completes when its accept step has begun.</summary>
    /// <param name="accepted">Called with its outcome, unless Redis can't take it.</param>
    public async ValueTask SendAsync(Client client, RoomMember member, MessageDraft draft, Action<Acceptance> accepted)
    {
        await client.Accepting.WaitAsync();
        Accept(client, member, draft, accepted);
    }

    /// <summary>What the accept step needs to know of a composed message, except its file.</summary>
    /// <param name="identifier">The client's, without escapes.</param>
    /// <param name="timestamp">As it stands in the message.</param>
    public static MessageDraft Draft(RoomMember member, string identifier, UnnumberedMessage message, string timestamp)
    {
        var caller = member.Connection.Caller!;
        return new(member.Room.Key, caller.UserId, identifier, member.Connection.Id, message, timestamp)
        {
            Seen = member.Room.Position,
        };
    }

    /// <summary>Answers a message that was accepted before.</summary>
    public static void Repeat(RoomMember member, ReadOnlySpan<byte> rawIdentifier, Acceptance first) =>
        member.Room.OnRepeat(
            member, RoomFrames.Ack(new Ack(member.Room.Key.RoomId, rawIdentifier, first.Seq, Encoding.ASCII.GetBytes(first.Timestamp))));

    private async ValueTask WaitThenAcceptAsync(Client client, RoomMember member, MessageDraft draft)
    {
        await client.Accepting.WaitAsync();
        Accept(client, member, draft);
    }

    private void Accept(Client client, RoomMember member, MessageDraft draft, Action<Acceptance>? accepted = null)
    {
        if (!client.IsRemembered)
        {
            // Sent before the message, on the same connection to Redis: whoever saves the message finds it.
            client.IsRemembered = true;
            _ = RememberAsync(client);
        }

        member.Room.Sending(member);
        backplane.Accept(draft, new Outcome(client, member, accepted));
    }

    private async Task RememberAsync(Client client)
    {
        try
        {
            await tokens.RememberAsync(client.Connection.Caller!);
        }
        catch (RedisUnavailableException exception)
        {
            client.IsRemembered = false;
            Log.NotRemembered(logger, exception, client.Connection.Caller!.UserId);
        }
    }

    /// <summary>Waits for one message's outcome and tells its sender.</summary>
    private sealed class Outcome(Client client, RoomMember member, Action<Acceptance>? accepted) : IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance)
        {
            client.Accepting.Release();
            accepted?.Invoke(acceptance);
            if (!acceptance.IsRepeat && !member.Room.Lacks(acceptance.Seq, acceptance.Epoch) && !member.HasLeft)
            {
                // The backplane's copy was faster, and has brought the ack.
                return;
            }

            var json = draft.Json.Number(acceptance.Seq);
            if (acceptance.IsRepeat)
            {
                Repeat(member, Ack.Of(json.Span, acceptance.Seq).RawIdentifier, acceptance);
            }
            else
            {
                member.Room.OnAccepted(new(acceptance.Seq, acceptance.Epoch, draft.Origin, json), member);
            }
        }

        public void OnUnavailable(MessageDraft draft, RedisUnavailableException why)
        {
            client.Accepting.Release();
            Replies.Error(
                client.Connection, ErrorCode.Unavailable, "Redis can't take it now; send again with the same identifier.",
                draft.Room.RoomId, draft.Identifier);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(1240, LogLevel.Debug,
            "The session with which user {UserId} writes could not be remembered; it is tried again with the next message.")]
        public static partial void NotRemembered(ILogger logger, Exception exception, long userId);
    }
}
