using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using ChatServer.Protocol;

namespace ChatServer.Sessions;

/// <summary>What a session's value says beyond its key.</summary>
/// <param name="TokenKey">The user's token for Quantum's REST API.</param>
/// <param name="RoomIds">The rooms that the user may enter, each once; null if the record has none.</param>
internal sealed record SessionRecord(string TokenKey, IReadOnlyList<long>? RoomIds)
{
    /// <summary>For logs: without the token.</summary>
    public override string ToString() => nameof(SessionRecord);
}

/// <summary>
/// From a session's stored value to its record:
/// <c>{"token_key":"…","user":{"id":7},"company":{"id":3},"room_ids":[12,15]}</c>, plain, in base64 or as a Fernet token.
/// </summary>
internal sealed class SessionRecordReader(SessionOptions options, TimeProvider time)
{
    private const int MaxTokenKeyLength = 1024;

    private static readonly SearchValues<char> HeaderCharacters =
        SearchValues.Create([.. Enumerable.Range('!', '~' - '!' + 1).Select(c => (char)c)]);

    private readonly SessionEncoding _encoding = new(options, time);

    /// <summary>Never throws, whatever the value: what is wrong with it is the fault.</summary>
    /// <param name="value">The stored value.</param>
    /// <param name="key">The key that it was found under: the ids in the value must be the same.</param>
    /// <param name="record">What it says.</param>
    /// <param name="fault">Why there is no record.</param>
    public bool TryRead(ReadOnlyMemory<byte> value, SessionKey key, [NotNullWhen(true)] out SessionRecord? record, out SessionFault fault)
    {
        record = null;
        if (!_encoding.TryDecode(value, out var json, out fault))
        {
            return false;
        }

        try
        {
            using var document = JsonDocument.Parse(json);
            fault = document.RootElement.ValueKind == JsonValueKind.Object
                ? Read(document.RootElement, key, out record)
                : SessionFault.NotJson;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // The latter is how JsonDocument says that a string is not UTF-8, or half of a surrogate pair.
            fault = SessionFault.NotJson;
        }

        return record is not null;
    }

    private static SessionFault Read(JsonElement root, SessionKey key, out SessionRecord? record)
    {
        record = null;
        if (!Names(root, "user", "user_id", key.UserId) || !Names(root, "company", "company_id", key.CompanyId))
        {
            return SessionFault.WrongIdentity;
        }

        if (!TryReadTokenKey(root, out var tokenKey))
        {
            return SessionFault.NoTokenKey;
        }

        if (!TryReadRoomIds(root, out var roomIds))
        {
            return SessionFault.BadRoomIds;
        }

        record = new SessionRecord(tokenKey, roomIds);
        return SessionFault.None;
    }

    /// <summary>Whether the record names the id, as <c>user.id</c> or as <c>user_id</c>, and no other one.</summary>
    private static bool Names(JsonElement root, string owner, string flatName, long expected)
    {
        var nested = TryGet(root, owner, out var element) && element.ValueKind == JsonValueKind.Object && TryGet(element, "id", out element)
            ? element
            : default;
        TryGet(root, flatName, out var flat);
        return (nested.ValueKind, flat.ValueKind) switch
        {
            (JsonValueKind.Undefined, JsonValueKind.Undefined) => false,
            (JsonValueKind.Undefined, _) => IsId(flat, expected),
            (_, JsonValueKind.Undefined) => IsId(nested, expected),
            _ => IsId(nested, expected) && IsId(flat, expected),
        };
    }

    private static bool IsId(JsonElement element, long expected) => TryReadId(element, out var id) && id == expected;

    private static bool TryReadTokenKey(JsonElement root, [NotNullWhen(true)] out string? tokenKey)
    {
        tokenKey = TryGet(root, "token_key", out var element) && element.ValueKind == JsonValueKind.String ? element.GetString() : null;
        return tokenKey is { Length: > 0 and <= MaxTokenKeyLength } && !tokenKey.AsSpan().ContainsAnyExcept(HeaderCharacters);
    }

    private static bool TryReadRoomIds(JsonElement root, out IReadOnlyList<long>? roomIds)
    {
        roomIds = null;
        if (!TryGet(root, "room_ids", out var element))
        {
            return true;
        }

        if (element.ValueKind != JsonValueKind.Array)
        {
            return false;
        }

        var ids = new OrderedDictionary<long, bool>(element.GetArrayLength());
        foreach (var item in element.EnumerateArray())
        {
            if (!TryReadId(item, out var id) || id > RoomKey.MaxRoomId)
            {
                return false;
            }

            ids.TryAdd(id, true);
        }

        roomIds = [.. ids.Keys];
        return true;
    }

    /// <summary>A positive integer, or its digits in a string.</summary>
    private static bool TryReadId(JsonElement element, out long id)
    {
        id = 0;
        return element.ValueKind switch
        {
            JsonValueKind.Number => element.TryGetInt64(out id) && id > 0,
            JsonValueKind.String => SessionKey.TryParseId(element.GetString(), out id),
            _ => false,
        };
    }

    /// <summary>A member that is null is taken as absent: Python writes None so.</summary>
    private static bool TryGet(JsonElement parent, string name, out JsonElement element)
    {
        if (parent.TryGetProperty(name, out element) && element.ValueKind != JsonValueKind.Null)
        {
            return true;
        }

        element = default;
        return false;
    }
}
