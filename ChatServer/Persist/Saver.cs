using System.Text.Json;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Persist;

/// <summary>Brings one outbox entry to Quantum and tells those whom it concerns what became of it.</summary>
internal sealed partial class Saver(QuantumClient quantum, IRelay relay, SavedNotices notices, MemberLists members, ILogger<Saver> logger)
{
    /// <returns>Null where Quantum has it; else why it never will.</returns>
    /// <exception cref="QuantumUnavailableException">Quantum has not said its last word: try again later.</exception>
    /// <exception cref="RelayUnavailableException">It has, but nobody could be told: do it all again.</exception>
    public async ValueTask<string?> SaveAsync(OutboxEntry entry, CancellationToken cancellation)
    {
        var message = StoredMessage.Read(entry.Message.Span);
        SaveOutcome outcome;
        try
        {
            outcome = await quantum.SaveAsync(message, entry.TokenKey, cancellation);
        }
        catch (FileGoneException)
        {
            return "The file is held no more (FILE_RETENTION); it has to be sent again.";
        }

        if (outcome is not SaveOutcome.Saved saved)
        {
            return ((SaveOutcome.Refused)outcome).Why;
        }

        if (saved.UserIds is { } users)
        {
            members.Refresh(message.Room, users);
        }

        await TellSavedAsync(message, saved);
        return null;
    }

    /// <summary>Tells the sender, and the log, that a message has become a dead letter.</summary>
    /// <exception cref="RelayUnavailableException">The sender could not be told.</exception>
    public async ValueTask TellRefusedAsync(OutboxEntry entry, string why)
    {
        var message = StoredMessage.Read(entry.Message.Span);
        LogRefused(message.CompanyId, message.RoomId, message.Seq, message.FromUserId, why);
        await relay.NotifyUserAsync(message.FromUserId, JsonSerializer.SerializeToUtf8Bytes(
            new ErrorFrame("info", false, ErrorCode.NotSaved, why, message.RoomId, message.Identifier, message.Seq), ProtocolJson.Default.ErrorFrame));
    }

    private async ValueTask TellSavedAsync(StoredMessage message, SaveOutcome.Saved saved)
    {
        await relay.NotifyUserAsync(message.FromUserId, JsonSerializer.SerializeToUtf8Bytes(
            new InfoChatFrame(
                "info_chat", true, "Message sent out successfully", message.RoomId, message.Identifier, message.Seq,
                saved.Id, saved.Timestamp, saved.Date, saved.Time),
            ProtocolJson.Default.InfoChatFrame));
        notices.Add(message.Room, message.FromUserId, new(message.Seq, message.Identifier, saved.Id));
    }

    [LoggerMessage(500, LogLevel.Error, "Message {Seq} of room {CompanyId}/{RoomId} by user {UserId} is a dead letter now: {Why}")]
    private partial void LogRefused(long companyId, long roomId, long seq, long userId, string why);
}
