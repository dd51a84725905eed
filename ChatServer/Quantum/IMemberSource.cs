using ChatServer.Protocol;

namespace ChatServer.Quantum;

/// <summary>Where a room's members are known: Quantum.</summary>
internal interface IMemberSource
{
    /// <param name="tokenKey">The REST token of the user who asks.</param>
    /// <returns>The user ids; null if Quantum says that there is no such room for that user (403 or 404).</returns>
    /// <exception cref="QuantumUnavailableException">No answer, or an invalid one.</exception>
    ValueTask<IReadOnlyList<long>?> GetMembersAsync(RoomKey room, string tokenKey, CancellationToken cancellation);
}
