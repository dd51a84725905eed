using ChatServer.Quantum;

namespace ChatServer.Outbox;

/// <summary>Whether several messages go to Quantum in one call: if SAVE_BATCH says so, and unless Quantum lately had no such call.</summary>
internal sealed partial class BulkSaves(QuantumOptions options, TimeProvider time, ILogger<BulkSaves> logger)
{
    private long _notOfferedAt;

    /// <summary>1 if Quantum has no such call, as far as is known.</summary>
    private int _isMissing;

    /// <summary>Messages in one call, at most.</summary>
    public int MessagesAtOnce =>
        Volatile.Read(ref _isMissing) == 0 || time.GetElapsedTime(Volatile.Read(ref _notOfferedAt)) >= OutboxOptions.AskForBulkAgain
            ? options.SaveBatch
            : 1;

    /// <summary>Quantum has no such call.</summary>
    public void NotOffered(int status)
    {
        Volatile.Write(ref _notOfferedAt, time.GetTimestamp());

        // Several such calls may be under way: one of them tells it.
        if (Interlocked.Exchange(ref _isMissing, 1) == 0)
        {
            Log.NotOffered(logger, status);
        }
    }

    /// <summary>Quantum has answered such a call.</summary>
    public void Offered() => Volatile.Write(ref _isMissing, 0);

    private static partial class Log
    {
        [LoggerMessage(970, LogLevel.Warning,
            "Quantum answered HTTP {Status} to POST /chat/save_messages_to_db/: it does not have this call, though SAVE_BATCH is above 1. "
            + "Messages are saved one by one; it is asked again every five minutes.")]
        public static partial void NotOffered(ILogger logger, int status);
    }
}
