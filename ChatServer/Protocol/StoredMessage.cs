using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatServer.Protocol;

/// <summary>A message as its JSON says, which the log and the outbox hold.</summary>
internal sealed record StoredMessage(
    string Type, long RoomId, long Seq, string Identifier, long FromUserId, long CompanyId, string? Body, string Timestamp)
{
    [JsonIgnore]
    public RoomKey Room => new(CompanyId, RoomId);

    /// <summary>When it was accepted; the beginning of time if that can't be read.</summary>
    [JsonIgnore]
    public DateTimeOffset At =>
        DateTimeOffset.TryParse(Timestamp, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at) ? at : default;

    /// <summary>The file that it brings; null in a chat message.</summary>
    public FileDescription? File { get; init; }

    /// <exception cref="JsonException">It is no message, or lacks what every message has.</exception>
    public static StoredMessage Read(ReadOnlySpan<byte> json) =>
        JsonSerializer.Deserialize(json, StoredMessageJson.Default.StoredMessage) is
            { Type: not null, Identifier.Length: > 0, Timestamp: not null, RoomId: > 0, CompanyId: > 0 } message
            ? message
            : throw new JsonException("It is no message.");

    /// <returns>Null if it can't be read.</returns>
    public static StoredMessage? TryRead(ReadOnlySpan<byte> json)
    {
        try
        {
            return Read(json);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>The source-generated reader of stored messages.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(StoredMessage))]
internal sealed partial class StoredMessageJson : JsonSerializerContext;
