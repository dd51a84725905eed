namespace ChatServer.Quantum;

/// <summary>
/// Quantum's final answer to a call that saves many messages. If there is none yet, that is a <see cref="QuantumUnavailableException"/>.
/// </summary>
internal abstract record BatchOutcome
{
    /// <summary>Each message has its own last word: <see cref="SaveOutcome.Saved"/> or <see cref="SaveOutcome.Refused"/>.</summary>
    /// <param name="Results">As many as there were messages, in their order.</param>
    public sealed record Answered(IReadOnlyList<SaveOutcome> Results) : BatchOutcome;

    /// <summary>
    /// Quantum will not take these messages together, or its answer to so many is too large to be read. That says nothing about any one of
    /// them: fewer may be taken, and some may have a row already.
    /// </summary>
    public sealed record Refused(string Why) : BatchOutcome;

    /// <summary>This Quantum saves one message at a time.</summary>
    public sealed record NotOffered(int Status) : BatchOutcome;

    /// <summary>Quantum does not know the token that the call came with (401).</summary>
    public sealed record TokenRefused : BatchOutcome;
}
