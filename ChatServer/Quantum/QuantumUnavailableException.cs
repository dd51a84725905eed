namespace ChatServer.Quantum;

/// <summary>Quantum is out of reach, busy, or its answer is invalid: the same call may succeed later.</summary>
internal sealed class QuantumUnavailableException(string message, Exception? inner = null) : Exception(message, inner)
{
    /// <summary>Whether Quantum asks for fewer calls (429): that says nothing about the one that it did not take.</summary>
    public bool IsThrottled { get; init; }

    /// <summary>Whether Quantum has answered, and not what was asked: it is not out of reach, and asked again it would say the same.</summary>
    public bool IsRefusal { get; init; }

    /// <summary>Whether Quantum has answered with more than is read: the same call would end in the same way, a smaller one may not.</summary>
    public bool IsAnswerTooLarge { get; init; }

    /// <summary>How long Quantum asks to be left alone (RFC 9110, section 10.2.3).</summary>
    public TimeSpan? RetryAfter { get; init; }
}
