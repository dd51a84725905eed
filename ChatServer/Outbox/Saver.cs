using System.Text.Json;
using ChatServer.Backplane;
using ChatServer.Files;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Redis;
using ChatServer.Rooms.Access;

namespace ChatServer.Outbox;

/// <summary>Saves one outbox entry in Quantum and tells the outcome to those whom it concerns.</summary>
internal sealed partial class Saver(
    QuantumClient quantum, SenderTokens tokens, IBackplane backplane, SavedNotices notices, MemberLists members, ILogger<Saver> logger)
{
    /// <summary>The REST token to save it with; null if Quantum knows none of those that there are: try again later.</summary>
    /// <exception cref="RedisUnavailableException">The sender's sessions can't be looked up now.</exception>
    public ValueTask<string?> TokenForAsync(PendingSave pending, CancellationToken cancellation) =>
        tokens.ChooseAsync(pending, cancellation);

    /// <returns>Null if Quantum does not know the token: try again with another one.</returns>
    /// <exception cref="QuantumUnavailableException">Quantum has given no final answer: try again later.</exception>
    public async ValueTask<SaveResult?> SaveAsync(PendingSave pending, string token, CancellationToken cancellation)
    {
        var message = pending.Message;
        SaveOutcome outcome;
        try
        {
            outcome = await quantum.SaveAsync(message, token, cancellation);
        }
        catch (FileGoneException)
        {
            return new SaveResult("The file is no longer held (FILE_RETENTION); it has to be sent again.", Task.CompletedTask);
        }

        if (outcome is SaveOutcome.TokenRefused)
        {
            tokens.Refused(token);
            return null;
        }

        if (outcome is not SaveOutcome.Saved saved)
        {
            return new SaveResult(((SaveOutcome.Refused)outcome).Why, Task.CompletedTask);
        }

        if (saved.UserIds is { } users)
        {
            members.Refresh(message.Room, users);
        }

        return new SaveResult(null, TellSavedAsync(message, saved));
    }

    /// <summary>Whether a message without a token that Quantum knows may wait for its sender to log in.</summary>
    public bool AwaitsSender => !tokens.AreTheServicesOwn;

    /// <summary>Tells the sender, and the log, that a message has become a dead letter.</summary>
    /// <exception cref="RedisUnavailableException">The sender could not be told.</exception>
    public async ValueTask TellRefusedAsync(StoredMessage message, string why)
    {
        Log.DeadLetter(logger, message.CompanyId, message.RoomId, message.Seq, message.FromUserId, why);
        await backplane.NotifyUserAsync(message.FromUserId, JsonSerializer.SerializeToUtf8Bytes(
            new ErrorFrame("info", false, ErrorCode.NotSaved, why, message.RoomId, message.Identifier, message.Seq),
            ProtocolJson.Default.ErrorFrame));
    }

    private async Task TellSavedAsync(StoredMessage message, SaveOutcome.Saved saved)
    {
        await backplane.NotifyUserAsync(message.FromUserId, JsonSerializer.SerializeToUtf8Bytes(
            new InfoChatFrame(
                "info_chat", true, "Message sent out successfully", message.RoomId, message.Identifier, message.Seq,
                saved.Id, saved.Timestamp, saved.Date, saved.Time),
            ProtocolJson.Default.InfoChatFrame));
        notices.Add(message.Room, message.FromUserId, new(message.Seq, message.Identifier, saved.Id));
    }

    private static partial class Log
    {
        [LoggerMessage(900, LogLevel.Error,
            "Message {Seq} of room {CompanyId}/{RoomId} by user {UserId} is a dead letter now (see ChatServer "
            + "dead-letters). Reason: {Why}")]
        public static partial void DeadLetter(ILogger logger, long companyId, long roomId, long seq, long userId, string why);
    }
}

/// <summary>The outcome of a save.</summary>
/// <param name="Refusal">Why Quantum refuses it for good; null if Quantum has saved it.</param>
/// <param name="Told">
/// Its sender is being told; the call is on its way to Redis, and what is sent after it comes after it. If it fails
/// (<see cref="RedisUnavailableException"/>) nobody was told: do all of it again.
/// </param>
internal readonly record struct SaveResult(string? Refusal, Task Told);
