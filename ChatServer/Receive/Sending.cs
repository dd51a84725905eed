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
            Accept(client, member, draft, rawIdentifier);
            return ValueTask.CompletedTask;
        }

        return WaitThenAcceptAsync(client, member, draft, rawIdentifier);
    }

    private async ValueTask WaitThenAcceptAsync(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        await client.Accepting.WaitAsync();
        Accept(client, member, draft, rawIdentifier);
    }

    /// <summary>Begins the accept step before it returns, so that the order holds; what follows runs by itself.</summary>
    private void Accept(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        member.Room.Sending(member);
        _ = AcceptAsync(client, member, draft, rawIdentifier);
    }

    private async Task AcceptAsync(Client client, Member member, MessageDraft draft, byte[] rawIdentifier)
    {
        try
        {
            var accepted = await relay.AcceptAsync(draft);
            if (accepted.IsRepeat)
            {
                var timestamp = Encoding.ASCII.GetBytes(accepted.Timestamp);
                member.Room.OnRepeat(member, RoomFrames.Ack(draft.Room.RoomId, rawIdentifier, accepted.Seq, timestamp));
            }
            else
            {
                var json = MessageComposer.Join(draft.Head, accepted.Seq, draft.Tail);
                member.Room.OnAccepted(new(accepted.Seq, accepted.Epoch, draft.Origin, json), member);
            }
        }
        catch (RelayUnavailableException)
        {
            Answers.Error(
                client.Connection, ErrorCode.Unavailable, "Redis is out of reach; send again with the same identifier.", draft.Room.RoomId, draft.Identifier);
        }
        finally
        {
            client.Accepting.Release();
        }
    }
}
