using ChatServer.Relay;
using ChatServer.Rooms;

namespace ChatServer.Persist;

/// <summary>Brings entries of one partition's outbox to their end, however long that takes: each is saved or becomes a dead letter.</summary>
/// <param name="slots">Bounds the saves that are under way on the whole node.</param>
internal sealed partial class EntrySaver(int partition, IOutbox outbox, Saver saver, SaveSlots slots, PersistOptions options, TimeProvider time, ILogger logger)
{
    private static readonly TimeSpan PauseAfterFailure = TimeSpan.FromSeconds(1);

    private int _inTrouble;

    /// <summary>How many wait after a failure to be tried again.</summary>
    public int InTrouble => Volatile.Read(ref _inTrouble);

    /// <returns>False where it was cancelled: the entry stays for whoever drains next.</returns>
    public async Task<bool> SaveAsync(PendingSave pending, CancellationToken cancellation)
    {
        var entry = pending.Entry;
        var attempts = 0;
        var othersSaved = slots.Saved;
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var (refusal, told) = await SaveInSlotAsync(pending, cancellation);
                if (refusal is { } why)
                {
                    if (await TryBuryAsync(pending, why))
                    {
                        return true;
                    }

                    await PauseInTroubleAsync(cancellation);
                    continue;
                }

                // Both in one trip.
                await Task.WhenAll(told, outbox.RemoveAsync(partition, entry.Id).AsTask());
                return true;
            }
            catch (QuantumUnavailableException exception)
            {
                LogPostponed(exception, partition, entry.Id);
                if (exception.WasAsked && slots.Saved != othersSaved)
                {
                    // Quantum saves others: the trouble is with this message.
                    othersSaved = slots.Saved;
                    attempts += QuantumPipelines.TriesPerSave;
                }

                if (attempts >= options.Attempts && await TryBuryAsync(pending, $"It failed {attempts} times while others were saved: {exception.Message}"))
                {
                    return true;
                }

                await PauseInTroubleAsync(cancellation);
            }
            catch (RelayUnavailableException exception)
            {
                LogPostponed(exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return false;
            }
            catch (Exception exception)
            {
                // A defect of ours: the room must not be forgotten for it, and it must be seen.
                LogFailed(exception, partition, entry.Id);
                await PauseInTroubleAsync(cancellation);
            }
        }

        return false;
    }

    private async Task<SaveResult> SaveInSlotAsync(PendingSave pending, CancellationToken cancellation)
    {
        await slots.TakeAsync(cancellation);
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
            slots.Release(wentWell);
        }
    }

    private async Task<bool> TryBuryAsync(PendingSave pending, string why)
    {
        try
        {
            await outbox.BuryAsync(partition, pending.Entry, why);
            await saver.TellRefusedAsync(pending.Message, why);
            return true;
        }
        catch (RelayUnavailableException exception)
        {
            LogPostponed(exception, partition, pending.Entry.Id);
            return false;
        }
    }

    /// <summary>Waits for better times, some longer than others.</summary>
    public async Task PauseAsync(CancellationToken cancellation) =>
        await Task.Delay(PauseAfterFailure * (0.5 + Random.Shared.NextDouble()), time, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);

    private async Task PauseInTroubleAsync(CancellationToken cancellation)
    {
        Interlocked.Increment(ref _inTrouble);
        await PauseAsync(cancellation);
        Interlocked.Decrement(ref _inTrouble);
    }

    [LoggerMessage(513, LogLevel.Error, "Outbox {Partition}: message {Entry} failed for a reason that lies here, and is tried again.")]
    private partial void LogFailed(Exception exception, int partition, string entry);

    [LoggerMessage(511, LogLevel.Warning, "Outbox {Partition}: message {Entry} can't be saved now and is tried again.")]
    private partial void LogPostponed(Exception exception, int partition, string entry);
}

/// <summary>An entry, and the message that it holds.</summary>
internal sealed record PendingSave(OutboxEntry Entry, StoredMessage Message);
