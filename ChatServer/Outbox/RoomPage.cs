namespace ChatServer.Outbox;

/// <summary>The next messages of a room that Quantum does not have.</summary>
/// <param name="Epoch">The room's numbering when they were read.</param>
/// <param name="Messages">In the order in which they are to be saved; none if the room has nothing to save any more, or if they were not asked for.</param>
/// <param name="HasMore">Whether the room has something to save, be it in this page or not read.</param>
internal sealed record RoomPage(string Epoch, IReadOnlyList<PendingSave> Messages, bool HasMore)
{
    public static RoomPage Nothing { get; } = new("", [], HasMore: false);
}

/// <summary>A room that has something to save.</summary>
/// <param name="Since">Milliseconds since 1970 by Redis's clock: when it came to have something, or some of it was last saved.</param>
internal readonly record struct UnsavedRoom(Protocol.RoomKey Room, long Since);
