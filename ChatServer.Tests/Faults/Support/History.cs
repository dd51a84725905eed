namespace ChatServer.Tests.Faults.Support;

/// <summary>Who a client is and where it belongs.</summary>
internal sealed record Persona(long User, long Company, IReadOnlyList<long> Rooms)
{
    public override string ToString() => $"user {User} of company {Company}";
}

/// <summary>Something that a client did or got, in the order in which it happened to it.</summary>
internal abstract record ChatEvent
{
    public DateTimeOffset At { get; init; } = TimeProvider.System.GetUtcNow();
}

/// <summary>The session is accepted on a new connection.</summary>
internal sealed record Connected(int Connection, string Node) : ChatEvent;

/// <summary>A message went out, for the first time or again.</summary>
internal sealed record Sent(int Connection, long Room, string Identifier) : ChatEvent;

/// <param name="Asked">Whether it answers a join; else the server told of a new beginning by itself.</param>
/// <param name="Since">What the client named as seen; null for a fresh view.</param>
internal sealed record Joined(long Room, long Seq, string Epoch, bool Recovered, bool Asked, long? Since) : ChatEvent;

/// <summary>A message as the server hands it out, live or in a replay.</summary>
internal sealed record Told(long Company, long Room, long User, long Seq, string Identifier, string Body) : ChatEvent;

internal sealed record Acked(long Room, string Identifier, long Seq) : ChatEvent;

/// <summary>An error that keeps the connection.</summary>
internal sealed record Refused(long? Room, string? Identifier, string Code) : ChatEvent;

/// <summary>The server put it out of a room of which it is no longer a member.</summary>
internal sealed record PutOut(long Room) : ChatEvent;

/// <summary>It stops reading, or reads again.</summary>
/// <param name="Connection">The one that it has opened last.</param>
internal sealed record Reads(bool Again, int Connection) : ChatEvent;

/// <summary>Its user logs out at Quantum, or in again.</summary>
internal sealed record Logs(bool In) : ChatEvent;

/// <param name="Code">The close code; 1006 if there was none.</param>
internal sealed record Ended(int Code) : ChatEvent;

/// <summary>One client's history.</summary>
internal sealed record ClientHistory(Persona Who, IReadOnlyList<ChatEvent> Events);

/// <summary>A row of Quantum's, in the order in which they were made.</summary>
internal sealed record SavedRow(long Company, long Room, long User, string Identifier, string Body)
{
    public DateTimeOffset At { get; init; } = TimeProvider.System.GetUtcNow();
}
