using System.Text.Json;
using System.Text.Json.Serialization;

namespace ChatServer.Embedded.Demo;

internal sealed record LoginRequest(string? Name);

internal sealed record LoginAnswer(string Token, DemoUser User, DemoCompany Company, IReadOnlyList<DemoRoom> Rooms);

internal sealed record UsersAnswer(IReadOnlyList<DemoUser> Users);

internal sealed record MembersAnswer(IReadOnlyList<DemoUser> Members);

internal sealed record MessagesAnswer(IReadOnlyList<DemoMessage> Messages);

/// <summary>What went wrong, as text for people; the shape of Quantum's own refusals (contract 3.1).</summary>
internal sealed record Refusal(bool Success, string Message);

/// <summary>The session record that Quantum writes at login (contract 2.1); without room_ids, so that the members rule is asked.</summary>
internal sealed record SessionRecord(string TokenKey, DemoUser User, DemoCompany Company);

/// <summary>Quantum's answer to a saved message (contract 3.1).</summary>
internal sealed record SaveAnswer(
    bool Success, SavedMessage Message, IReadOnlyList<long> UserIds, string MessageDate, string MessageTime);

internal sealed record SavedMessage(long Id, DateTimeOffset Timestamp, string Body, long FromUserId, bool Read);

/// <summary>Messages to be saved in one call (contract 3.4).</summary>
internal sealed record SaveBatchRequest(IReadOnlyList<SaveBatchMessage>? Messages);

internal sealed record SaveBatchMessage(
    string? Type, long RoomId, long UserId, long CompanyId, string? Identifier, string? MessageContent);

/// <summary>Quantum's answer to them.</summary>
/// <param name="Results">A <see cref="SaveAnswer"/> or a <see cref="Refusal"/> for each.</param>
internal sealed record SaveBatchAnswer(bool Success, IReadOnlyList<object> Results);

/// <summary>Quantum's answer to the question who may enter a room (contract 3.3).</summary>
internal sealed record MemberIdsAnswer(bool Success, IReadOnlyList<long> UserIds);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(LoginRequest))]
[JsonSerializable(typeof(LoginAnswer))]
[JsonSerializable(typeof(UsersAnswer))]
[JsonSerializable(typeof(MembersAnswer))]
[JsonSerializable(typeof(MessagesAnswer))]
[JsonSerializable(typeof(Refusal))]
[JsonSerializable(typeof(SessionRecord))]
[JsonSerializable(typeof(SaveAnswer))]
[JsonSerializable(typeof(SaveBatchRequest))]
[JsonSerializable(typeof(SaveBatchAnswer))]
[JsonSerializable(typeof(MemberIdsAnswer))]
internal sealed partial class DemoJson : JsonSerializerContext;
