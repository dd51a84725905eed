using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatServer.Protocol;

/// <summary>The answer to a first frame that authenticates.</summary>
internal sealed record AuthenticatedFrame(
    string Type, bool Success, long UserId, long CompanyId, string ConnectionId, long? SessionExpiresIn, IReadOnlyList<long> Rooms,
    int PingInterval);

/// <summary>The answer to a first frame that does not authenticate; a close frame follows.</summary>
internal sealed record AuthFailedFrame(string Type, bool Success, string Code, string Message);

/// <summary>A connection is in a room now. <c>Seq</c> is where the missed messages end and the live ones begin.</summary>
internal sealed record JoinedFrame(
    string Type, bool Success, long RoomId, long Seq, string Epoch, bool Recovered, IReadOnlyDictionary<string, long> Reads);

/// <summary>A connection is out of a room; <c>Code</c> says so if it did not ask for it.</summary>
internal sealed record LeftFrame(string Type, bool Success, long RoomId, string? Code);

/// <summary>An error that keeps the connection.</summary>
internal sealed record ErrorFrame(string Type, bool Success, string Code, string Message, long? RoomId, string? Identifier, long? Seq);

/// <summary>The go-ahead for a file: its bytes may come.</summary>
internal sealed record UploadFrame(string Type, bool Success, long RoomId, string Identifier);

/// <summary>How many bytes of a file are stored.</summary>
internal sealed record ProgressFrame(string Type, string Identifier, long Received);

/// <summary>What a message of type <c>file</c> says of its file.</summary>
/// <param name="Id">See <see cref="FileId"/>.</param>
/// <param name="Name">A bare file name.</param>
/// <param name="ContentType">What the sender says it is, such as <c>image/png</c>.</param>
/// <param name="Size">Bytes.</param>
/// <param name="Sha256">Of its bytes, in lower-case hexadecimal digits.</param>
/// <param name="Url">Where any node serves it, relative to the node.</param>
internal sealed record FileDescription(string Id, string Name, string ContentType, long Size, string Sha256, string Url);

/// <summary>To all connections of the sender: Quantum has the message. The display strings are Quantum's.</summary>
internal sealed record InfoChatFrame(
    string Type, bool Success, string Message, long RoomId, string Identifier, long Seq, JsonElement? Id, string? Timestamp,
    string? DiscussionDate, string? DiscussionTime);

/// <summary>To the room's other users: Quantum has these messages.</summary>
internal sealed record SavedFrame(string Type, long RoomId, IReadOnlyList<SavedMessage> Saved);

/// <summary>One saved message and the id that Quantum gave it.</summary>
internal sealed record SavedMessage(long Seq, string Identifier, JsonElement? Id);

/// <summary>One room that an auth frame asks for.</summary>
internal sealed record RoomRequest(long RoomId, long? Since, string? Epoch);

/// <summary>The source-generated serializers of everything that goes over the wire as JSON.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(AuthenticatedFrame))]
[JsonSerializable(typeof(AuthFailedFrame))]
[JsonSerializable(typeof(JoinedFrame))]
[JsonSerializable(typeof(LeftFrame))]
[JsonSerializable(typeof(ErrorFrame))]
[JsonSerializable(typeof(UploadFrame))]
[JsonSerializable(typeof(ProgressFrame))]
[JsonSerializable(typeof(FileDescription))]
[JsonSerializable(typeof(InfoChatFrame))]
[JsonSerializable(typeof(SavedFrame))]
internal sealed partial class ProtocolJson : JsonSerializerContext;
