using System.Runtime.ExceptionServices;
using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Brings the unsaved messages of one room to their end, one after the other in seq order: each is saved or becomes a dead letter. If one
/// fails, the room waits, and takes no place of the others meanwhile.
/// </summary>
internal sealed partial class RoomDrainer(
    RoomKey room, IOutbox outbox, Saver saver, SaveConcurrency concurrency, ReadAhead readAhead, OutboxOptions options, TimeProvider time,
    ILogger<RoomDrainer> logger)
{
    private readonly RoomHand _hand = new(readAhead);
    private bool _isRead;
    private bool _isCrowded;
    private long? _readAt;
    private SaveTrouble? _trouble;

    public RoomKey Room => room;

    /// <summary>
    /// Set when the room is met among those that have something to save: it may have come to have it after this had found that nothing is
    /// left.
    /// </summary>
    public bool IsMetAgain { get; set; }

    /// <summary>Goes on until nothing is left, or it is cancelled. It never ends before, whatever happens.</summary>
    public async Task RunAsync(CancellationToken cancellation)
    {
        var hasMore = true;
        while (hasMore && !cancellation.IsCancellationRequested)
        {
            try
            {
                hasMore = await SaveNextAsync(cancellation);
            }
            catch (Exception exception) when (!cancellation.IsCancellationRequested)
            {
                // Also an error of ours: it must be seen, and the room's messages must still be saved.
                Interrupted(exception);
            }
            catch (OperationCanceledException)
            {
                break;
            }

            if (_trouble is { } trouble)
            {
                _hand.LetGo();
                await Task.Delay(trouble.Pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }

        _hand.LetGo();
    }

    /// <returns>False if nothing is left.</returns>
    private async Task<bool> SaveNextAsync(CancellationToken cancellation)
    {
        if (!_isRead)
        {
            await GatherAsync(cancellation);
            if (!await ReadAsync(isNeeded: false, cancellation))
            {
                return false;
            }
        }

        if (_hand.First is { Message: null } unreadable)
        {
            return await PutAsideAsync(unreadable);
        }

        var isAlone = _trouble is not null || _hand.Ready == 0;
        using var turn = await concurrency.TakeAsync(room, _hand.NextSender, isAlone ? 1 : _hand.Ready, isAlone, cancellation);
        if (_hand.Count == 0 && !await ReadAsync(isNeeded: true, cancellation))
        {
            return false;
        }

        var (messages, saved, isShared) = (_hand.Next(turn.Capacity), concurrency.Saved, turn.IsShared);
        if (messages[0].Message is not { } first || (isShared && first.File is not null))
        {
            // What was read again begins with another one, for which the turn is not.
            return true;
        }

        var results = await turn.SaveAsync(messages, saver.SaveAsync, cancellation);
        var hasMore = await EndAsync(messages, results, saved, isShared || messages.Count > 1);
        _hand.LetGoIfBorrowed();
        return hasMore;
    }

    /// <summary>
    /// Where calls carry many messages, lets some come together: what a room's part in a call costs is then shared by them.
    /// </summary>
    private async Task GatherAsync(CancellationToken cancellation)
    {
        if (concurrency.MessagesAtOnce > 1 && !_isCrowded && _readAt is { } at
            && OutboxOptions.GatherFor - time.GetElapsedTime(at) is var rest && rest > TimeSpan.Zero)
        {
            await Task.Delay(rest, time, cancellation);
        }
    }

    /// <returns>False if nothing is left.</returns>
    private async Task<bool> ReadAsync(bool isNeeded, CancellationToken cancellation)
    {
        (IsMetAgain, _readAt) = (false, time.GetTimestamp());
        var page = await readAhead.ReadAsync(() => outbox.SettleAsync(room, new(_hand.Epoch), readOn: true), cancellation);
        _isCrowded = page.Messages.Count >= concurrency.MessagesAtOnce;
        return Take(page, isNeeded);
    }

    private bool Take(RoomPage page, bool isNeeded)
    {
        _hand.Take(page, isNeeded);
        _isRead = page.Messages.Count > 0;
        return _isRead;
    }

    /// <summary>Notes what the messages have come to.</summary>
    /// <param name="savedBefore">How many had been saved before the call.</param>
    /// <param name="isShared">Whether the call was about others, too.</param>
    private async Task<bool> EndAsync(
        IReadOnlyList<PendingSave> messages, IReadOnlyList<SaveResult> results, long savedBefore, bool isShared)
    {
        var (done, count) = (new Settlement(_hand.Epoch), 0);
        for (; count < messages.Count && results[count].Outcome is SaveOutcome.Saved or SaveOutcome.Refused; count++)
        {
            var message = messages[count].Message!;
            if (results[count].Outcome is SaveOutcome.Refused(var why))
            {
                done.Add(messages[count], why, Saver.RefusedFrame(message, why));
            }
            else
            {
                done.Add(messages[count], null, Saver.SavedFrame(message, (SaveOutcome.Saved)results[count].Outcome!));
            }
        }

        var hasMore = await SettleAsync(done, messages.Take(count).ToList());
        for (var index = 0; index < count; index++)
        {
            if (results[index].Outcome is SaveOutcome.Saved saved)
            {
                saver.TellRoom(messages[index].Message!, saved);
            }
        }

        return count == messages.Count ? hasMore : await FailedAsync(messages[count], results[count], savedBefore, isShared);
    }

    /// <param name="ended">The messages that it is about, the first in hand.</param>
    /// <returns>False if nothing is left.</returns>
    private async Task<bool> SettleAsync(Settlement done, List<PendingSave> ended)
    {
        if (ended.Count == 0)
        {
            return true;
        }

        var readOn = ended.Count == _hand.Count && concurrency.MessagesAtOnce == 1;
        IsMetAgain = false;
        var page = await outbox.SettleAsync(room, done, readOn);
        foreach (var (place, _, why) in done.Dead)
        {
            var sender = ended.Find(pending => pending.Place == place)!.Message?.FromUserId ?? 0;
            Log.DeadLetter(logger, place, room.CompanyId, room.RoomId, sender, why);
        }

        _hand.Remove(ended.Count);
        _trouble = null;
        if (readOn)
        {
            return Take(page, isNeeded: false);
        }

        _isRead = _hand.Count > 0;
        return page.HasMore;
    }

    /// <summary>No ChatServer wrote it: it becomes a dead letter, so that it holds up nobody.</summary>
    private async Task<bool> PutAsideAsync(PendingSave unreadable)
    {
        var done = new Settlement(_hand.Epoch);
        done.Add(unreadable, "It can't be read.");
        return await SettleAsync(done, [unreadable]);
    }

    private async Task<bool> FailedAsync(PendingSave pending, SaveResult result, long savedBefore, bool isShared)
    {
        var trouble = _trouble = _trouble?.Place == pending.Place ? _trouble : new(pending.Place, savedBefore);
        switch (result.Error)
        {
            case null:
                return await LacksTokenAsync(pending, trouble);
            case QuantumUnavailableException exception when isShared:
                trouble.FailedTogether(exception, concurrency.Saved);
                break;
            case QuantumUnavailableException exception:
                trouble.Failed(exception, concurrency.Saved);
                break;
            case RedisUnavailableException:
                trouble.Interrupted();
                break;
            default:
                ExceptionDispatchInfo.Throw(result.Error);
                break;
        }

        LogPostponed(pending.Message!, trouble, result.Error.Message);
        return trouble.Attempts < options.Attempts
            || await GiveUpAsync(pending, $"It failed {trouble.Attempts} times while others were saved: {result.Error.Message}");
    }

    private async Task<bool> LacksTokenAsync(PendingSave pending, SaveTrouble trouble)
    {
        var message = pending.Message!;
        if (trouble.LacksTokenSince is null)
        {
            Log.LacksToken(logger, message.Seq, message.CompanyId, message.RoomId, message.FromUserId);
        }

        trouble.LacksToken(time.GetTimestamp());
        var mayWait = !saver.AwaitsSender || time.GetElapsedTime(trouble.LacksTokenSince!.Value) < OutboxOptions.TokenAwaitedHereFor
            || time.GetUtcNow() - message.At < OutboxOptions.TokenAwaitedFor;
        return mayWait || await GiveUpAsync(pending, "Its sender has logged out, and has not logged in again for a day.");
    }

    private async Task<bool> GiveUpAsync(PendingSave pending, string why)
    {
        var done = new Settlement(_hand.Epoch);
        done.Add(pending, why, Saver.RefusedFrame(pending.Message!, why));
        return await SettleAsync(done, [pending]);
    }

    private void Interrupted(Exception exception)
    {
        var place = _hand.First?.Place ?? "";
        _trouble = _trouble?.Place == place ? _trouble : new(place, concurrency.Saved);
        _trouble.Interrupted();
        if (exception is not RedisUnavailableException)
        {
            Log.Failed(logger, exception, room.CompanyId, room.RoomId);
        }
        else if (_hand.First?.Message is { } message)
        {
            LogPostponed(message, _trouble, exception.Message);
        }
        else
        {
            Log.Waiting(logger, exception, room.CompanyId, room.RoomId);
        }
    }

    private void LogPostponed(StoredMessage message, SaveTrouble trouble, string why) =>
        Log.Postponed(logger, message.Seq, message.CompanyId, message.RoomId, trouble.Pause.TotalSeconds, trouble.Attempts, why);

    private static partial class Log
    {
        [LoggerMessage(920, LogLevel.Warning,
            "Message {Seq} of room {CompanyId}/{RoomId} cannot be saved now and is tried again in {Pause:F1} s "
            + "(failed {Attempts} times while others were saved). Reason: {Why}")]
        public static partial void Postponed(
            ILogger logger, long seq, long companyId, long roomId, double pause, int attempts, string why);

        [LoggerMessage(922, LogLevel.Warning,
            "Message {Seq} of room {CompanyId}/{RoomId} waits until user {UserId} logs in again: Quantum knows none of "
            + "the user's tokens (401). With QUANTUM_SERVICE_TOKEN nobody's logout would matter.")]
        public static partial void LacksToken(ILogger logger, long seq, long companyId, long roomId, long userId);

        [LoggerMessage(921, LogLevel.Error,
            "Unexpected error while saving messages of room {CompanyId}/{RoomId}; they are tried again.")]
        public static partial void Failed(ILogger logger, Exception exception, long companyId, long roomId);

        [LoggerMessage(900, LogLevel.Error,
            "Message {Place} of room {CompanyId}/{RoomId} by user {UserId} is a dead letter now (see ChatServer "
            + "dead-letters). Reason: {Why}")]
        public static partial void DeadLetter(ILogger logger, string place, long companyId, long roomId, long userId, string why);

        [LoggerMessage(923, LogLevel.Warning, "The messages of room {CompanyId}/{RoomId} wait: Redis is out of reach.")]
        public static partial void Waiting(ILogger logger, Exception exception, long companyId, long roomId);
    }
}
