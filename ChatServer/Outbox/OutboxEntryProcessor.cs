using ChatServer.Protocol;
using ChatServer.Quantum;
using ChatServer.Redis;

namespace ChatServer.Outbox;

/// <summary>
/// Brings entries of one partition's outbox to their end, however long that takes: each is saved or becomes a dead letter.
/// </summary>
/// <param name="concurrency">Bounds the saves that are under way on the whole node.</param>
internal sealed partial class OutboxEntryProcessor(
    int partition, IOutbox outbox, Saver saver, SaveConcurrency concurrency, OutboxOptions options, TimeProvider time,
    ILogger<OutboxEntryProcessor> logger)
{
    private int _inTrouble;

    /// <summary>How many entries wait after a failure to be tried again.</summary>
    public int InTrouble => Volatile.Read(ref _inTrouble);

    /// <returns>False if it was cancelled: the entry stays for whoever drains next.</returns>
    public async Task<bool> SaveAsync(PendingSave pending, CancellationToken cancellation)
    {
        var entry = pending.Entry;
        var attempts = 0;
        var othersSaved = concurrency.Saved;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var (refusal, told) = await SaveInTurnAsync(pending, cancellation);
                if (refusal is { } why)
                {
                    if (await TryMoveToDeadLettersAsync(pending, why))
                    {
                        return true;
                    }

                    await PauseInTroubleAsync(cancellation);
                    continue;
                }

                // Both in one round trip.
                await Task.WhenAll(told, outbox.RemoveAsync(partition, entry.Id).AsTask());
                return true;
            }
            catch (QuantumUnavailableException exception)
            {
                Log.Postponed(logger, exception, partition, entry.Id);
                if (exception.WasAsked && concurrency.Saved != othersSaved)
                {
                    // Quantum saves others: the trouble is with this message.
                    othersSaved = concurrency.Saved;
                    attempts += QuantumOptions.TriesPerSave;
                }

                if (attempts >= options.Attempts
                    && await TryMoveToDeadLettersAsync(pending, $"It failed {attempts} times while others were saved: {exception.Message}"))
                {
                    return true;
                }

                await PauseInTroubleAsync(cancellation);
            }
            catch (RedisUnavailableException exception)
            {
                Log.Postponed(logger, exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return false;
            }
            catch (Exception exception)
            {
                // A bug of ours: it must be seen, and the room's messages must still be saved.
                Log.Failed(logger, exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
        }

        return false;
    }

    private async Task<SaveResult> SaveInTurnAsync(PendingSave pending, CancellationToken cancellation)
    {
        await concurrency.TakeAsync(cancellation);
        bool? wentWell = null;
        try
        {
            var result = await saver.SaveAsync(pending, cancellation);
            wentWell = true;
            return result;
        }
        catch (QuantumUnavailableException)
        {
            wentWell = false;
            throw;
        }
        finally
        {
            concurrency.Release(wentWell);
        }
    }

    private async Task<bool> TryMoveToDeadLettersAsync(PendingSave pending, string why)
    {
        try
        {
            await outbox.MoveToDeadLettersAsync(partition, pending.Entry, why);
            await saver.TellRefusedAsync(pending.Message, why);
            return true;
        }
        catch (RedisUnavailableException exception)
        {
            Log.Postponed(logger, exception, partition, pending.Entry.Id);
            return false;
        }
    }

    /// <summary>The pause before another try; random, so that not all try at the same time.</summary>
    public static TimeSpan NextPause() => OutboxOptions.PauseAfterFailure * (0.5 + Random.Shared.NextDouble());

    private async Task PauseAsync(CancellationToken cancellation) =>
        await Task.Delay(NextPause(), time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task PauseInTroubleAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _inTrouble);
        await PauseAsync(cancellation);
        Interlocked.Decrement(ref _inTrouble);
    }

    private static partial class Log
    {
        [LoggerMessage(920, LogLevel.Warning, "Outbox {Partition}: message {Entry} cannot be saved now and is tried again.")]
        public static partial void Postponed(ILogger logger, Exception exception, int partition, string entry);

        [LoggerMessage(921, LogLevel.Error, "Outbox {Partition}: unexpected error while saving message {Entry}; it is tried again.")]
        public static partial void Failed(ILogger logger, Exception exception, int partition, string entry);
    }
}

/// <summary>An entry, and the message that it holds.</summary>
internal sealed record PendingSave(OutboxEntry Entry, StoredMessage Message);
