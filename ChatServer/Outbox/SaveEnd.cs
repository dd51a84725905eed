namespace ChatServer.Outbox;

/// <summary>How a call of Quantum's API ended.</summary>
internal enum SaveEnd
{
    /// <summary>Quantum was not asked after all, or its answer was not waited for.</summary>
    NotAsked,

    /// <summary>Quantum has the message.</summary>
    Saved,

    /// <summary>Quantum works, but does not have the message: it refuses the message, or the token that came with it.</summary>
    Answered,

    /// <summary>Quantum asks for fewer calls (429).</summary>
    Throttled,

    /// <summary>No answer, or none that makes sense.</summary>
    Failed,
}
