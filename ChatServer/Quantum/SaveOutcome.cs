using System.Text.Json;

namespace ChatServer.Quantum;

/// <summary>Quantum's final answer to a save. If there is none yet, that is a <see cref="QuantumUnavailableException"/>.</summary>
internal abstract record SaveOutcome
{
    /// <summary>It has a row. All members but <paramref name="UserIds"/> are for display and as Quantum gave them.</summary>
    public sealed record Saved(JsonElement? Id, string? Timestamp, string? Date, string? Time, IReadOnlyList<long>? UserIds) : SaveOutcome;

    /// <summary>Quantum does not know the token that the call came with (401): with another one it may be saved.</summary>
    public sealed record TokenRefused : SaveOutcome;

    /// <summary>It will never have one.</summary>
    public sealed record Refused(string Why) : SaveOutcome;
}
