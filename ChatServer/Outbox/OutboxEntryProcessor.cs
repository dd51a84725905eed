using ChatServer.Quantum;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Makes one try after the other to bring an entry of one partition's outbox to its end: it is saved or becomes a dead letter.
/// </summary>
/// <param name="concurrency">Bounds the calls that are under way on the whole node.</param>
internal sealed partial class OutboxEntryProcessor(
    int partition, IOutbox outbox, Saver saver, SaveConcurrency concurrency, OutboxOptions options, TimeProvider time,
    ILogger<OutboxEntryProcessor> logger)
{
    /// <summary>Waits for a place for a call.</summary>
    public Task<SaveTurn> TakeTurnAsync(RoomBacklog room, CancellationToken cancellation) =>
        concurrency.TakeAsync(room.Key, room.NextSender, cancellation);

    public SaveTrouble NewTrouble(PendingSave pending) => new(pending.Entry.Id, concurrency.Saved);

    /// <summary>Waits as long as a message's trouble asks for.</summary>
    public async Task PauseAsync(TimeSpan pause, CancellationToken cancellation) =>
        await Task.Delay(pause, time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    /// <param name="turn">The place; it is given back when Quantum has answered.</param>
    /// <returns>False if the entry stays in the outbox and is to be tried again, after the pause that its trouble names.</returns>
    /// <exception cref="OperationCanceledException">It was cancelled: the entry stays for whoever drains next.</exception>
    public async Task<bool> TryAsync(PendingSave pending, SaveTrouble trouble, SaveTurn turn, CancellationToken cancellation)
    {
        try
        {
            if (await saver.TokenForAsync(pending, cancellation) is not { } token
                || await AskAsync(pending, token, turn, cancellation) is not var (refusal, told))
            {
                return await LacksTokenAsync(pending, trouble);
            }

            if (refusal is { } why)
            {
                await MoveToDeadLettersAsync(pending, why);
                return true;
            }

            // Both in one round trip.
            await Task.WhenAll(told, outbox.RemoveAsync(partition, pending.Entry.Id).AsTask());
            return true;
        }
        catch (QuantumUnavailableException exception)
        {
            return await FailedAsync(pending, trouble, exception);
        }
        catch (RedisUnavailableException exception)
        {
            trouble.Interrupted();
            LogPostponed(pending, trouble, exception.Message);
        }
        catch (Exception exception) when (!cancellation.IsCancellationRequested)
        {
            // A bug of ours: it must be seen, and the room's messages must still be saved.
            trouble.Interrupted();
            Log.Failed(logger, exception, partition, pending.Entry.Id);
        }

        return false;
    }

    private async Task<SaveResult?> AskAsync(PendingSave pending, string token, SaveTurn turn, CancellationToken cancellation)
    {
        try
        {
            var result = await saver.SaveAsync(pending, token, cancellation);
            turn.End(result is { Refusal: null } ? SaveEnd.Saved : SaveEnd.Answered);
            return result;
        }
        catch (QuantumUnavailableException exception)
        {
            turn.End(exception.IsThrottled ? SaveEnd.Throttled : SaveEnd.Failed);
            throw;
        }
        finally
        {
            turn.End(SaveEnd.NotAsked);
        }
    }

    private async Task<bool> FailedAsync(PendingSave pending, SaveTrouble trouble, QuantumUnavailableException exception)
    {
        trouble.Failed(exception, concurrency.Saved);
        LogPostponed(pending, trouble, exception.Message);
        if (trouble.Attempts < options.Attempts)
        {
            return false;
        }

        try
        {
            await MoveToDeadLettersAsync(pending, $"It failed {trouble.Attempts} times while others were saved: {exception.Message}");
            return true;
        }
        catch (RedisUnavailableException unavailable)
        {
            LogPostponed(pending, trouble, unavailable.Message);
            return false;
        }
    }

    private async Task<bool> LacksTokenAsync(PendingSave pending, SaveTrouble trouble)
    {
        var message = pending.Message;
        if (trouble.LacksTokenSince is null)
        {
            Log.LacksToken(logger, partition, message.Seq, message.CompanyId, message.RoomId, message.FromUserId);
        }

        trouble.LacksToken(time.GetTimestamp());
        if (!saver.AwaitsSender || time.GetElapsedTime(trouble.LacksTokenSince!.Value) < OutboxOptions.TokenAwaitedHereFor
            || time.GetUtcNow() - message.At < OutboxOptions.TokenAwaitedFor)
        {
            return false;
        }

        await MoveToDeadLettersAsync(pending, "Its sender has logged out, and has not logged in again for a day.");
        return true;
    }

    private async Task MoveToDeadLettersAsync(PendingSave pending, string why)
    {
        await outbox.MoveToDeadLettersAsync(partition, pending.Entry, why);
        await saver.TellRefusedAsync(pending.Message, why);
    }

    private void LogPostponed(PendingSave pending, SaveTrouble trouble, string why)
    {
        var message = pending.Message;
        Log.Postponed(
            logger, partition, message.Seq, message.CompanyId, message.RoomId, trouble.Pause.TotalSeconds, trouble.Attempts, why);
    }

    private static partial class Log
    {
        [LoggerMessage(920, LogLevel.Warning,
            "Outbox {Partition}: message {Seq} of room {CompanyId}/{RoomId} cannot be saved now and is tried again in {Pause:F1} s "
            + "(failed {Attempts} times while others were saved). Reason: {Why}")]
        public static partial void Postponed(
            ILogger logger, int partition, long seq, long companyId, long roomId, double pause, int attempts, string why);

        [LoggerMessage(922, LogLevel.Warning,
            "Outbox {Partition}: message {Seq} of room {CompanyId}/{RoomId} waits until user {UserId} logs in again: Quantum knows none of "
            + "the user's tokens (401). With QUANTUM_SERVICE_TOKEN nobody's logout would matter.")]
        public static partial void LacksToken(ILogger logger, int partition, long seq, long companyId, long roomId, long userId);

        [LoggerMessage(921, LogLevel.Error, "Outbox {Partition}: unexpected error while saving message {Entry}; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception, int partition, string entry);
    }
}
