namespace ChatServer.Quantum;

/// <summary>Tells the operator when Quantum goes away and when it is back, once each: every room and every call notices an outage.</summary>
internal sealed partial class QuantumReach(TimeProvider time, ILogger<QuantumReach> logger)
{
    private readonly Lock _gate = new();
    private int _failed;
    private long _since;

    /// <summary>A call has got a final answer.</summary>
    public void Answered()
    {
        if (Volatile.Read(ref _failed) == 0)
        {
            return;
        }

        lock (_gate)
        {
            if (_failed >= QuantumOptions.FailuresThatMeanAway)
            {
                Log.Back(logger, time.GetElapsedTime(_since).TotalSeconds, _failed);
            }

            _failed = 0;
        }
    }

    /// <summary>A call has got none.</summary>
    public void Failed(string why)
    {
        lock (_gate)
        {
            _since = _failed == 0 ? time.GetTimestamp() : _since;
            if (++_failed == QuantumOptions.FailuresThatMeanAway)
            {
                Log.Away(logger, _failed, why);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(710, LogLevel.Warning,
            "Quantum is away: {Count} calls in a row have failed, the last because: {Why} What is to be saved waits in Redis, and is tried "
            + "again. Check QUANTUM_SERVER_URL and Quantum.")]
        public static partial void Away(ILogger logger, int count, string why);

        [LoggerMessage(711, LogLevel.Information, "Quantum is back after {Seconds:F0} s, in which {Count} calls have failed.")]
        public static partial void Back(ILogger logger, double seconds, int count);
    }
}
