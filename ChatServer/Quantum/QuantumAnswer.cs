using System.Globalization;
using System.Net;
using System.Text.Json;
using ChatServer.Configuration;

namespace ChatServer.Quantum;

/// <summary>Reads Quantum's answers, which are JSON objects with <c>success</c>.</summary>
internal static class QuantumAnswer
{
    private const string NoReason = "Quantum gave no reason.";

    /// <summary>Whether a status says that the same call may succeed later.</summary>
    public static bool IsPassing(HttpStatusCode status) =>
        status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests
        || ((int)status is >= 500 or < 400 && !IsSuccess(status));

    /// <summary>The same for a call that Quantum may not offer: it says so for good with 501 as well.</summary>
    public static bool IsPassingForBatch(HttpStatusCode status) => status != HttpStatusCode.NotImplemented && IsPassing(status);

    /// <summary>Whether a status comes with the JSON that the contract names: 201 as well, for a save makes a row.</summary>
    public static bool IsSuccess(HttpStatusCode status) => status is HttpStatusCode.OK or HttpStatusCode.Created;

    /// <exception cref="QuantumUnavailableException">The answer is not the JSON that the contract names.</exception>
    public static SaveOutcome ReadSave(JsonElement answer)
    {
        if (!Succeeded(answer))
        {
            return new SaveOutcome.Refused(Words(answer) ?? NoReason);
        }

        if (TryGet(answer, "message", out var message) && message.ValueKind == JsonValueKind.Object)
        {
            return new SaveOutcome.Saved(
                Id(message),
                Text(message, "timestamp"),
                Text(answer, "message_date"),
                Text(answer, "message_time"),
                UserIds(answer));
        }

        throw new QuantumUnavailableException("Quantum's answer to a save has no message.");
    }

    /// <param name="messages">How many the call had: so many results there must be.</param>
    /// <exception cref="QuantumUnavailableException">The answer is not the JSON that the contract names.</exception>
    public static BatchOutcome ReadSaves(JsonElement answer, int messages)
    {
        if (!Succeeded(answer))
        {
            return new BatchOutcome.Refused(Words(answer) ?? NoReason);
        }

        if (TryGet(answer, "results", out var results) && results.ValueKind == JsonValueKind.Array
            && results.GetArrayLength() == messages)
        {
            return new BatchOutcome.Answered([.. results.EnumerateArray().Select(ReadSave)]);
        }

        throw new QuantumUnavailableException($"Quantum's answer has no results for {messages} messages.");
    }

    /// <exception cref="QuantumUnavailableException">The answer is not the JSON that the contract names.</exception>
    public static IReadOnlyList<long>? ReadMembers(JsonElement answer) =>
        !Succeeded(answer) ? null : UserIds(answer) ?? throw new QuantumUnavailableException("Quantum's answer has no user_ids.");

    /// <summary>The text of a refusal for people, if there is any.</summary>
    public static string? Words(JsonElement answer)
    {
        foreach (var name in (ReadOnlySpan<string>)["message", "detail"])
        {
            if (Text(answer, name) is { Length: > 0 } words)
            {
                return ForeignText.Cut(words, QuantumOptions.MaxRefusalCharacters);
            }
        }

        return null;
    }

    private static bool Succeeded(JsonElement answer) =>
        answer.ValueKind == JsonValueKind.Object && TryGet(answer, "success", out var success)
            ? success.ValueKind switch
            {
                JsonValueKind.True => true,
                JsonValueKind.False => false,
                _ => throw new QuantumUnavailableException("Quantum's answer has a success that is neither true nor false."),
            }
            : throw new QuantumUnavailableException("Quantum's answer is no JSON object with success.");

    private static string? Text(JsonElement answer, string name) =>
        answer.ValueKind == JsonValueKind.Object && TryGet(answer, name, out var value) && value.ValueKind == JsonValueKind.String
            ? Readable(value)
            : null;

    /// <summary>A number or a string; what can't be passed on to clients is none.</summary>
    private static JsonElement? Id(JsonElement message) =>
        TryGet(message, "id", out var id) && id.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array)
            && (id.ValueKind != JsonValueKind.String || Readable(id) is not null)
            ? id.Clone()
            : null;

    /// <summary>False as well if a name has half of a surrogate pair in the place where it is compared.</summary>
    private static bool TryGet(JsonElement parent, string name, out JsonElement value)
    {
        try
        {
            return parent.TryGetProperty(name, out value);
        }
        catch (InvalidOperationException)
        {
            value = default;
            return false;
        }
    }

    /// <summary>Null if the string has half of a surrogate pair, which Python's json writes without a word, or is no UTF-8.</summary>
    private static string? Readable(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static List<long>? UserIds(JsonElement answer)
    {
        if (!TryGet(answer, "user_ids", out var list) || list.ValueKind != JsonValueKind.Array)
        {
            return null;
        }

        var users = new List<long>(list.GetArrayLength());
        foreach (var user in list.EnumerateArray())
        {
            // Django REST framework writes big integers as strings where it is told to.
            if (user.ValueKind == JsonValueKind.Number ? user.TryGetInt64(out var id) : IsDigits(user, out id))
            {
                users.Add(id);
            }
        }

        return users;
    }

    private static bool IsDigits(JsonElement user, out long id)
    {
        id = 0;
        return user.ValueKind == JsonValueKind.String
            && long.TryParse(Readable(user), NumberStyles.None, CultureInfo.InvariantCulture, out id);
    }
}
