using ChatServer.Files;

namespace ChatServer.Requests;

/// <summary>An upload, and the message that it is to become.</summary>
/// <param name="Identifier">The client's, without escapes.</param>
/// <param name="RawIdentifier">As the client wrote it.</param>
internal sealed record PendingUpload(Upload Upload, long RoomId, string Identifier, byte[] RawIdentifier);
