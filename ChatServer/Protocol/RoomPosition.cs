namespace ChatServer.Protocol;

/// <summary>Up to where a room has been seen.</summary>
/// <param name="Epoch">The numbering; null if none is known.</param>
/// <param name="Seq">The last seq in order; 0 before the first.</param>
internal readonly record struct RoomPosition(string? Epoch, long Seq);
