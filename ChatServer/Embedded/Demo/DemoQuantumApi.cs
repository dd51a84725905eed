using System.Globalization;
using System.Text.Json;
using ChatServer.Quantum;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace ChatServer.Embedded.Demo;

/// <summary>
/// Quantum's REST API (contract, part 3) over <see cref="DemoQuantum"/>: the chat service calls it as it would call the real one.
/// </summary>
internal static class DemoQuantumApi
{
    private static readonly DemoRefusal InvalidToken = new(StatusCodes.Status401Unauthorized, "Invalid token.");

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var chat = endpoints.MapGroup(DemoQuantum.BasePath + "/chat");
        chat.MapPost("/save_message_to_db/", SaveMessageAsync);
        chat.MapPost("/save_messages_to_db/", SaveMessagesAsync).WithMetadata(new DisableRequestSizeLimitAttribute());
        chat.MapPost("/save_file_to_db/", SaveFileAsync).WithMetadata(new DisableRequestSizeLimitAttribute());
        chat.MapGet("/rooms/{roomId:long}/members/", Members);
    }

    private static async Task<IResult> SaveMessageAsync(
        HttpRequest request, DemoQuantum quantum, TimeProvider time, CancellationToken cancellation)
    {
        var (save, form, refusal) = await ReadAsync(request, quantum, cancellation);
        return refusal is null ? Result(save!.SaveText(form!["message_content"].ToString(), quantum, time)) : Result(refusal);
    }

    /// <summary>Many messages, with the chat service's own token alone. The same rules for each as if it came alone.</summary>
    private static async Task<IResult> SaveMessagesAsync(
        HttpRequest request, DemoQuantum quantum, TimeProvider time, CancellationToken cancellation)
    {
        var tokenKey = TokenKey(request);
        if (!quantum.IsServiceToken(tokenKey))
        {
            return Result(quantum.UserOfTokenKey(tokenKey) is null
                ? InvalidToken
                : new(StatusCodes.Status403Forbidden, "This token may not save for others."));
        }

        if (await ReadBatchAsync(request, cancellation) is not { Count: > 0 and <= QuantumOptions.MaxSaveBatch } messages)
        {
            return Result(new DemoRefusal(
                StatusCodes.Status400BadRequest, $"Send {{\"messages\":[…]}} with 1 to {QuantumOptions.MaxSaveBatch} of them."));
        }

        var results = messages.Select(message =>
        {
            var save = new DemoSave(message.RoomId, message.UserId, message.CompanyId, message.Identifier ?? "");
            var answer = message.Type != "chat"
                ? new DemoRefusal(StatusCodes.Status400BadRequest, "type is chat.")
                : save.WhyNot(quantum, tokenKey) ?? save.SaveText(message.MessageContent ?? "", quantum, time);
            return answer is DemoRefusal refusal ? refusal.Json : answer;
        });
        return Results.Json(new SaveBatchAnswer(Success: true, [.. results]), DemoJson.Default.SaveBatchAnswer);
    }

    private static async Task<IReadOnlyList<SaveBatchMessage>?> ReadBatchAsync(HttpRequest request, CancellationToken cancellation)
    {
        try
        {
            return (await JsonSerializer.DeserializeAsync(request.Body, DemoJson.Default.SaveBatchRequest, cancellation))?.Messages;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private static async Task<IResult> SaveFileAsync(
        HttpRequest request, DemoQuantum quantum, DemoFiles files, TimeProvider time, CancellationToken cancellation)
    {
        var (save, form, refusal) = await ReadAsync(request, quantum, cancellation);
        if (refusal is not null)
        {
            return Result(refusal);
        }

        if (form!.Files.GetFile("file") is not { } sent)
        {
            return Result(new DemoRefusal(StatusCodes.Status400BadRequest, "file is needed."));
        }

        var bytes = new byte[sent.Length];
        await using (var stream = sent.OpenReadStream())
        {
            await stream.ReadExactlyAsync(bytes, cancellation);
        }

        var file = files.Add(sent.FileName, sent.ContentType, bytes);
        var message = quantum.Save(save!.RoomId, save.UserId, save.Identifier, "", file);
        if (message?.File != file)
        {
            // Refused, or saved before.
            files.Remove(file);
        }

        return Result(DemoSave.Answer(message, quantum, time));
    }

    /// <returns>What all saves have and the form that it came in, or why it is refused.</returns>
    private static async Task<(DemoSave? Save, IFormCollection? Form, DemoRefusal? Refusal)> ReadAsync(
        HttpRequest request, DemoQuantum quantum, CancellationToken cancellation)
    {
        var tokenKey = TokenKey(request);
        if (!quantum.IsServiceToken(tokenKey) && quantum.UserOfTokenKey(tokenKey) is null)
        {
            return (null, null, InvalidToken);
        }

        if (!request.HasFormContentType)
        {
            return (null, null, new(StatusCodes.Status400BadRequest, "Send a form."));
        }

        var form = await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = long.MaxValue }, cancellation);
        var save = new DemoSave(Id(form["room_id"]), Id(form["user_id"]), Id(form["company_id"]), form["identifier"].ToString());
        return (save, form, save.WhyNot(quantum, tokenKey));
    }

    private static IResult Members(long roomId, HttpRequest request, DemoQuantum quantum)
    {
        if (quantum.UserOfTokenKey(TokenKey(request)) is null)
        {
            return Result(InvalidToken);
        }

        return Id(request.Query["company_id"]) == DemoCompany.Only.Id && quantum.Members(roomId) is { } members
            ? Results.Json(new MemberIdsAnswer(Success: true, [.. members.Select(user => user.Id)]), DemoJson.Default.MemberIdsAnswer)
            : Result(new DemoRefusal(StatusCodes.Status404NotFound, "No such room."));
    }

    /// <summary>The token of Django REST framework: <c>Authorization: Token …</c>; empty if there is none.</summary>
    private static string TokenKey(HttpRequest request)
    {
        const string Scheme = "Token ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
    }

    /// <returns>0 if it is no id.</returns>
    private static long Id(string? text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : 0;

    private static IResult Result(object answer) => answer is DemoRefusal refusal
        ? Results.Json(refusal.Json, DemoJson.Default.Refusal, statusCode: refusal.Status)
        : Results.Json((SaveAnswer)answer, DemoJson.Default.SaveAnswer);
}
