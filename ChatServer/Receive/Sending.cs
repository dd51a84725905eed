using System.Text;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Receive;

/// <summary>Takes a client's message to the accept step, and its receipt back. Messages of one connection are accepted in the order in which they came.</summary>
internal sealed class Sending(IRelay relay, TimeProvider time)
{
    public ValueTask Send(Client client, in ClientFrame frame)
    {
        var connection = client.Connection;
        if (frame.Identifier.IsEmpty || frame.Body.IsEmpty)
        {
            Answers.Error(connection, ErrorCode.BadFrame, frame.Identifier.IsEmpty ? "identifier is missing." : "body is missing.", frame);
            return ValueTask.CompletedTask;
        }

        if (client.MemberOf(frame.RoomId) is not { } member)
        {
            Answers.Error(connection, ErrorCode.NotInRoom, "Join the room before you send to it.", frame);
            return ValueTask.CompletedTask;
        }

        var caller = connection.Caller!;
        var timestamp = MessageComposer.Timestamp(time.GetUtcNow());
        var (head, tail) = MessageComposer.Chat(member.Room.Key, caller.UserId, frame.Identifier, frame.Body, timestamp);
        var draft = new MessageDraft(
            member.Room.Key, caller.UserId, frame.Identifier.Unescape(), connection.Id, head, tail, timestamp, caller.TokenKey)
        {
            Seen = member.Room.Mark,
        };
        var rawIdentifier = frame.Identifier.Raw.ToArray();
        if (client.Accepting.Wait(0))
        {
            _ = Accept(client, member, draft, rawIdentifier);
            return ValueTask.CompletedTask;
        }

        return WaitThenAcceptAsync(client, member, draft, rawIdentifier);
    }

    /// <summary>As <see cref="Send"/>, with a message that is composed already. Completes when the accept step has begun; the task in its result tells its end.</summary>
    /// <returns>Null where Redis was out of reach: the client has been told.</returns>
    public async ValueTask<Task<Acceptance?>> SendAsync(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        await client.Accepting.WaitAsync();
        return Accept(client, member, draft, rawIdentifier);
    }

    /// <summary>Answers a message that was accepted before.</summary>
    public static void Repeat(Member member, byte[] rawIdentifier, Acceptance first) =>
        member.Room.OnRepeat(
            member, RoomFrames.Ack(member.Room.Key.RoomId, rawIdentifier, first.Seq, Encoding.ASCII.GetBytes(first.Timestamp)));

    private async ValueTask WaitThenAcceptAsync(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        await client.Accepting.WaitAsync();
        _ = Accept(client, member, draft, rawIdentifier);
    }

    /// <summary>Begins the accept step before it returns, so that the order holds; what follows runs by itself.</summary>
    private Task<Acceptance?> Accept(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        member.Room.Sending(member);
        return AcceptAsync(client, member, draft, rawIdentifier);
    }

    private async Task<Acceptance?> AcceptAsync(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        try
        {
            var accepted = await relay.AcceptAsync(draft);
            if (accepted.IsRepeat)
            {
                Repeat(member, rawIdentifier, accepted);
            }
            else
            {
                var json = MessageComposer.Join(draft.Head, accepted.Seq, draft.Tail);
                member.Room.OnAccepted(new(accepted.Seq, accepted.Epoch, draft.Origin, json), member);
            }

            return accepted;
        }
        catch (RelayUnavailableException)
        {
            Answers.Error(
                client.Connection, ErrorCode.Unavailable, "Redis is out of reach; send again with the same identifier.", draft.Room.RoomId, draft.Identifier);
            return null;
        }
        finally
        {
            client.Accepting.Release();
        }
    }
}
