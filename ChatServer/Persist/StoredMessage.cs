using System.Text.Json;
using System.Text.Json.Serialization;
using ChatServer.Protocol;

namespace ChatServer.Persist;

/// <summary>A message as its JSON in the outbox says.</summary>
internal sealed record StoredMessage(
    string Type, long RoomId, long Seq, string Identifier, long FromUserId, long CompanyId, string? Body, string Timestamp)
{
    [JsonIgnore]
    public RoomKey Room => new(CompanyId, RoomId);

    /// <summary>The file that it brings; null in a chat message.</summary>
    public FileDescription? File { get; init; }

    public static StoredMessage Read(ReadOnlySpan<byte> json) => JsonSerializer.Deserialize(json, PersistJson.Default.StoredMessage)!;
}

/// <summary>The source-generated reader of what the outbox holds.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredMessage))]
internal sealed partial class PersistJson : JsonSerializerContext;
