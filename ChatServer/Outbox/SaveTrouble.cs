using ChatServer.Quantum;

namespace ChatServer.Outbox;

/// <summary>What has gone wrong so far with one message that is to be saved, and what follows from it.</summary>
/// <param name="place">The message's place in its room.</param>
/// <param name="saved">How many messages of others have been saved so far.</param>
internal sealed class SaveTrouble(string place, long saved)
{
    private long _saved = saved;
    private int _passing;
    private int _withoutToken;

    public string Place => place;

    /// <summary>Calls that were made and failed while Quantum saved others: the trouble is with this message.</summary>
    public int Attempts { get; private set; }

    /// <summary>How long its room has to wait now.</summary>
    public TimeSpan Pause { get; private set; }

    /// <summary>Since when there has been no token for it that Quantum knows; null if there is one.</summary>
    public long? LacksTokenSince { get; private set; }

    /// <summary>A call has failed.</summary>
    /// <param name="savedNow">As at the beginning.</param>
    public void Failed(QuantumUnavailableException why, long savedNow)
    {
        // Being throttled says nothing about a message, and nor does an outage.
        var isItsOwn = !why.IsThrottled && savedNow != _saved;
        _saved = savedNow;
        Attempts += isItsOwn ? 1 : 0;
        (LacksTokenSince, _withoutToken) = (null, 0);
        Pause = why.RetryAfter is { } after ? NotBefore(after)
            : isItsOwn ? BackOff.After(Attempts - 1, OutboxOptions.FirstPause, OutboxOptions.MaxPause)
            : BackOff.After(
                _passing++, OutboxOptions.FirstPause, why.IsThrottled ? OutboxOptions.MaxPause : OutboxOptions.MaxPauseInOutage);
    }

    /// <summary>
    /// A call has failed that carried others, too: which of them it was about is not known, so they are tried one by one.
    /// </summary>
    public void FailedTogether(QuantumUnavailableException why, long savedNow)
    {
        var attempts = Attempts;
        Failed(why, savedNow);
        Attempts = attempts;
        Pause = why.RetryAfter is null ? BackOff.Jitter(OutboxOptions.FirstPause) : Pause;
    }

    /// <summary>Quantum knows none of the tokens that there are for it: that says nothing about the message.</summary>
    /// <param name="now">The provider's timestamp.</param>
    public void LacksToken(long now)
    {
        LacksTokenSince ??= now;
        Pause = BackOff.After(_withoutToken++, OutboxOptions.FirstPause, OutboxOptions.MaxPauseWithoutToken);
    }

    /// <summary>Redis is out of reach, or there is an error of ours: Quantum has no part in it.</summary>
    public void Interrupted() => Pause = BackOff.Jitter(OutboxOptions.PauseAfterFailure);

    private static TimeSpan NotBefore(TimeSpan after)
    {
        var honoured = after < OutboxOptions.MaxRetryAfter ? after : OutboxOptions.MaxRetryAfter;
        return (honoured > OutboxOptions.FirstPause ? honoured : OutboxOptions.FirstPause)
            + (OutboxOptions.RetryAfterJitter * Random.Shared.NextDouble());
    }
}
