using ChatServer.Protocol;

namespace ChatServer.Rooms;

/// <summary>Where a room of this node stood at one moment.</summary>
/// <param name="Position">Up to where everything had been handed to the members.</param>
/// <param name="Strays">How often something had come, or may have been lost, that only the log can put in its place.</param>
internal readonly record struct RoomMark(RoomPosition Position, long Strays);
