using ChatServer.Quantum;

namespace ChatServer.Outbox;

/// <summary>What became of a message that was to be saved.</summary>
/// <param name="Outcome">Quantum's final answer; null if there is none.</param>
/// <param name="Error">Why there is none: Quantum or Redis is out of reach, or an error of ours.</param>
internal readonly record struct SaveResult(SaveOutcome? Outcome, Exception? Error)
{
    public static implicit operator SaveResult(SaveOutcome outcome) => new(outcome, null);

    public static implicit operator SaveResult(Exception error) => new(null, error);

    /// <summary>How the call ended.</summary>
    public static SaveEnd EndOf(IReadOnlyList<SaveResult> results)
    {
        foreach (var result in results)
        {
            if (result.Error is QuantumUnavailableException unavailable)
            {
                return unavailable.IsThrottled ? SaveEnd.Throttled : SaveEnd.Failed;
            }

            if (result.Error is not null)
            {
                return SaveEnd.NotAsked;
            }
        }

        return results.Any(result => result.Outcome is SaveOutcome.Saved) ? SaveEnd.Saved
            : results.Any(result => result.Outcome is SaveOutcome.Refused or SaveOutcome.TokenRefused) ? SaveEnd.Answered
            : SaveEnd.NotAsked;
    }
}
