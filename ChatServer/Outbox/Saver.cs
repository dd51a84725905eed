using System.Text.Json;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Rooms.Access;

namespace ChatServer.Outbox;

/// <summary>Saves messages in Quantum, and words what those hear of it whom it concerns.</summary>
internal sealed class Saver(
    QuantumClient quantum, SenderTokens tokens, BulkSaves bulk, SavedNotices notices, MemberLists members)
{
    /// <summary>Whether a message without a token that Quantum knows may wait for its sender to log in.</summary>
    public bool AwaitsSender => !tokens.AreTheServicesOwn;

    /// <summary>Makes one call for messages of one company; for parts of them if Quantum refuses them as a whole.</summary>
    /// <param name="messages">All can be read; if there are several, none has a file.</param>
    /// <returns>What became of each.</returns>
    public async Task<IReadOnlyList<SaveResult>> SaveAsync(IReadOnlyList<PendingSave> messages, CancellationToken cancellation) =>
        messages.Count == 1
            ? [await SaveOneAsync(messages[0].Message!, cancellation)]
            : await SaveInPartsAsync(messages, cancellation);

    /// <summary>What a sender is told of a message that is saved.</summary>
    public static byte[] SavedFrame(StoredMessage message, SaveOutcome.Saved saved) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new InfoChatFrame(
                "info_chat", true, "Message sent out successfully", message.RoomId, message.Identifier, message.Seq,
                saved.Id, saved.Timestamp, saved.Date, saved.Time),
            ProtocolJson.Default.InfoChatFrame);

    /// <summary>What a sender is told of a message that has become a dead letter.</summary>
    public static byte[] RefusedFrame(StoredMessage message, string why) =>
        JsonSerializer.SerializeToUtf8Bytes(
            new ErrorFrame("info", false, ErrorCode.NotSaved, why, message.RoomId, message.Identifier, message.Seq),
            ProtocolJson.Default.ErrorFrame);

    /// <summary>A message is noted as saved: its room's other users hear of it.</summary>
    public void TellRoom(StoredMessage message, SaveOutcome.Saved saved) =>
        notices.Add(message.Room, message.FromUserId, new(message.Seq, message.Identifier, saved.Id));

    private async Task<SaveResult> SaveOneAsync(StoredMessage message, CancellationToken cancellation)
    {
        try
        {
            if (await tokens.ChooseAsync(message.FromUserId, cancellation) is not { } token)
            {
                return new SaveOutcome.TokenRefused();
            }

            var asked = members.Now();
            var outcome = await quantum.SaveAsync(message, token, cancellation);
            if (outcome is SaveOutcome.TokenRefused)
            {
                tokens.Refused(token);
            }

            return Noted(message, outcome, asked);
        }
        catch (FileGoneException)
        {
            return new SaveOutcome.Refused("The file is no longer held (FILE_RETENTION); it has to be sent again.");
        }
        catch (Exception exception) when (exception is QuantumUnavailableException or RedisUnavailableException)
        {
            return exception;
        }
    }

    /// <summary>A call has a limit in bytes, too: proxies refuse large bodies.</summary>
    private async Task<IReadOnlyList<SaveResult>> SaveInPartsAsync(IReadOnlyList<PendingSave> messages, CancellationToken cancellation)
    {
        var results = new List<SaveResult>(messages.Count);
        while (results.Count < messages.Count)
        {
            var (part, bytes) = (new List<StoredMessage>(), 0);
            foreach (var pending in messages.Skip(results.Count))
            {
                bytes += pending.Json.Length;
                if (part.Count > 0 && bytes > OutboxOptions.MaxBytesOfCall)
                {
                    break;
                }

                part.Add(pending.Message!);
            }

            results.AddRange(await SavePartAsync(part, cancellation));
            FillUp(results, messages.Count);
        }

        return results;
    }

    /// <summary>What comes behind a message that has no final answer is not tried: a room's order would be lost.</summary>
    private static void FillUp(List<SaveResult> results, int count)
    {
        if (results[^1].Outcome is null or SaveOutcome.TokenRefused)
        {
            results.AddRange(Enumerable.Repeat(results[^1], count - results.Count));
        }
    }

    private async Task<IReadOnlyList<SaveResult>> SavePartAsync(IReadOnlyList<StoredMessage> part, CancellationToken cancellation)
    {
        if (part.Count == 1)
        {
            return [await SaveOneAsync(part[0], cancellation)];
        }

        try
        {
            if (await tokens.ChooseAsync(part[0].FromUserId, cancellation) is not { } token)
            {
                return [.. part.Select(_ => (SaveResult)new SaveOutcome.TokenRefused())];
            }

            var asked = members.Now();
            switch (await quantum.SaveManyAsync(part, token, cancellation))
            {
                case BatchOutcome.Answered answered:
                    bulk.Offered();
                    return [.. answered.Results.Select((outcome, index) => Noted(part[index], outcome, asked))];
                case BatchOutcome.TokenRefused:
                    tokens.Refused(token);
                    return [.. part.Select(_ => (SaveResult)new SaveOutcome.TokenRefused())];
                case BatchOutcome.NotOffered(var status):
                    bulk.NotOffered(status);
                    return await SaveEachAsync(part, part.Count, cancellation);
                default:
                    return await SaveEachAsync(part, 2, cancellation);
            }
        }
        catch (Exception exception) when (exception is QuantumUnavailableException or RedisUnavailableException)
        {
            return [.. part.Select(_ => (SaveResult)exception)];
        }
    }

    /// <summary>Divides what Quantum does not take as a whole, one behind the other.</summary>
    private async Task<IReadOnlyList<SaveResult>> SaveEachAsync(
        IReadOnlyList<StoredMessage> messages, int parts, CancellationToken cancellation)
    {
        var results = new List<SaveResult>(messages.Count);
        foreach (var part in messages.Chunk((messages.Count + parts - 1) / parts))
        {
            results.AddRange(await SavePartAsync(part, cancellation));
            FillUp(results, messages.Count);
            if (results.Count == messages.Count)
            {
                break;
            }
        }

        return results;
    }

    /// <summary>A message refreshes what is known of its room's members.</summary>
    /// <param name="asked">When the call began: the members may have changed since.</param>
    private SaveResult Noted(StoredMessage message, SaveOutcome outcome, long asked)
    {
        if (outcome is SaveOutcome.Saved { UserIds: { } users })
        {
            members.Refresh(message.Room, users, asked);
        }

        return outcome;
    }
}
