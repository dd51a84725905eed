namespace ChatServer.Backplane;

/// <summary>How much of a room is kept; the values are those of <c>RoomOptions</c>.</summary>
/// <param name="Messages">Messages in a room's log, at least.</param>
/// <param name="Age">How long a room's log outlives its last message, at least.</param>
/// <param name="IdentifierAge">How long an identifier is known, so that sending it again has no effect.</param>
internal sealed record LogLimits(int Messages, TimeSpan Age, TimeSpan IdentifierAge);
