using System.Text;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Receive;

/// <summary>Takes a client's message to the accept step, and its receipt back. Messages of one connection to one room are accepted in the order in which they came.</summary>
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
        var message = MessageComposer.Chat(member.Room.Key, caller.UserId, frame.Identifier, frame.Body, timestamp);
        var draft = new MessageDraft(
            member.Room.Key, caller.UserId, frame.Identifier.Unescape(), connection.Id, message, timestamp, caller.TokenKey)
        {
            Seen = member.Room.Mark,
        };
        if (client.Accepting.Wait(0))
        {
            Accept(client, member, draft);
            return ValueTask.CompletedTask;
        }

        return WaitThenAcceptAsync(client, member, draft);
    }

    /// <summary>Sends a message that is composed already; completes when its accept step has begun.</summary>
    /// <param name="accepted">Called with its outcome, unless Redis can't take it.</param>
    public async ValueTask SendAsync(Client client, Member member, MessageDraft draft, Action<Acceptance> accepted)
    {
        await client.Accepting.WaitAsync();
        Accept(client, member, draft, accepted);
    }

    /// <summary>Answers a message that was accepted before.</summary>
    public static void Repeat(Member member, ReadOnlySpan<byte> rawIdentifier, Acceptance first) =>
        member.Room.OnRepeat(
            member, RoomFrames.Ack(new Receipt(member.Room.Key.RoomId, rawIdentifier, first.Seq, Encoding.ASCII.GetBytes(first.Timestamp))));

    private async ValueTask WaitThenAcceptAsync(Client client, Member member, MessageDraft draft)
    {
        await client.Accepting.WaitAsync();
        Accept(client, member, draft);
    }

    private void Accept(Client client, Member member, MessageDraft draft, Action<Acceptance>? accepted = null)
    {
        member.Room.Sending(member);
        relay.Accept(draft, new Outcome(client, member, accepted));
    }

    /// <summary>Waits for one message's outcome, and sees to it that the sender learns it.</summary>
    private sealed class Outcome(Client client, Member member, Action<Acceptance>? accepted) : IAcceptListener
    {
        public void OnAccepted(MessageDraft draft, Acceptance acceptance)
        {
            client.Accepting.Release();
            accepted?.Invoke(acceptance);
            if (!acceptance.IsRepeat && !member.Room.Lacks(acceptance.Seq, acceptance.Epoch) && !member.HasLeft)
            {
                // The relay's copy was faster, and has brought the receipt.
                return;
            }

            var json = draft.Json.Number(acceptance.Seq);
            if (acceptance.IsRepeat)
            {
                Repeat(member, Receipt.Of(json.Span, acceptance.Seq).RawIdentifier, acceptance);
            }
            else
            {
                member.Room.OnAccepted(new(acceptance.Seq, acceptance.Epoch, draft.Origin, json), member);
            }
        }

        public void OnUnavailable(MessageDraft draft, RelayUnavailableException why)
        {
            client.Accepting.Release();
            Answers.Error(
                client.Connection, ErrorCode.Unavailable, "Redis can't take it now; send again with the same identifier.", draft.Room.RoomId, draft.Identifier);
        }
    }
}
