using System.Globalization;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Mvc;

namespace ChatServer.Embedded.Demo;

/// <summary>
/// Quantum's REST API (contract, part 3) over <see cref="DemoQuantum"/>: the chat service calls it as it would call the real one.
/// </summary>
internal static class DemoQuantumApi
{
    private const int MaxIdentifierLength = 128;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var chat = endpoints.MapGroup(DemoQuantum.BasePath + "/chat");
        chat.MapPost("/save_message_to_db/", SaveMessageAsync);
        chat.MapPost("/save_file_to_db/", SaveFileAsync).WithMetadata(new DisableRequestSizeLimitAttribute());
        chat.MapGet("/rooms/{roomId:long}/members/", Members);
    }

    private static async Task<IResult> SaveMessageAsync(
        HttpRequest request, DemoQuantum quantum, TimeProvider time, CancellationToken cancellation)
    {
        var (save, refusal) = await ReadAsync(request, quantum, cancellation);
        if (save is null)
        {
            return refusal!;
        }

        var body = save.Form["message_content"].ToString();
        if (body.Length == 0)
        {
            return Refuse(StatusCodes.Status400BadRequest, "message_content is needed.");
        }

        return body.Length <= DemoQuantum.MaxBodyLength
            ? Answer(quantum.Save(save.RoomId, save.User.Id, save.Identifier, body), quantum, time)
            : Refuse(StatusCodes.Status200OK, $"A message has at most {DemoQuantum.MaxBodyLength:N0} characters.");
    }

    private static async Task<IResult> SaveFileAsync(
        HttpRequest request, DemoQuantum quantum, DemoFiles files, TimeProvider time, CancellationToken cancellation)
    {
        var (save, refusal) = await ReadAsync(request, quantum, cancellation);
        if (save is null)
        {
            return refusal!;
        }

        if (save.Form.Files.GetFile("file") is not { } sent)
        {
            return Refuse(StatusCodes.Status400BadRequest, "file is needed.");
        }

        var bytes = new byte[sent.Length];
        await using (var stream = sent.OpenReadStream())
        {
            await stream.ReadExactlyAsync(bytes, cancellation);
        }

        var file = files.Add(sent.FileName, sent.ContentType, bytes);
        var message = quantum.Save(save.RoomId, save.User.Id, save.Identifier, "", file);
        if (message?.File != file)
        {
            // Refused, or saved before.
            files.Remove(file);
        }

        return Answer(message, quantum, time);
    }

    /// <returns>What all saves have, or why it is refused.</returns>
    private static async Task<(SaveRequest? Save, IResult? Refusal)> ReadAsync(
        HttpRequest request, DemoQuantum quantum, CancellationToken cancellation)
    {
        if (Caller(request, quantum) is not { } caller)
        {
            return (null, Refuse(StatusCodes.Status401Unauthorized, "Invalid token."));
        }

        if (!request.HasFormContentType)
        {
            return (null, Refuse(StatusCodes.Status400BadRequest, "Send a form."));
        }

        var form = await request.ReadFormAsync(new FormOptions { MultipartBodyLengthLimit = long.MaxValue }, cancellation);
        var identifier = form["identifier"].ToString();
        if (!TryGetId(form["room_id"], out var roomId) || identifier.Length is 0 or > MaxIdentifierLength)
        {
            return (null, Refuse(StatusCodes.Status400BadRequest, "room_id and identifier are needed."));
        }

        return TryGetId(form["user_id"], out var userId) && userId == caller.Id
            && TryGetId(form["company_id"], out var companyId) && companyId == DemoCompany.Only.Id
                ? (new(caller, roomId, identifier, form), null)
                : (null, Refuse(StatusCodes.Status403Forbidden, "User or Company id is not correct"));
    }

    private static IResult Members(long roomId, HttpRequest request, DemoQuantum quantum)
    {
        if (Caller(request, quantum) is null)
        {
            return Refuse(StatusCodes.Status401Unauthorized, "Invalid token.");
        }

        return TryGetId(request.Query["company_id"], out var companyId) && companyId == DemoCompany.Only.Id
            && quantum.Members(roomId) is { } members
                ? Results.Json(new MemberIdsAnswer(Success: true, IdsOf(members)), DemoJson.Default.MemberIdsAnswer)
                : Refuse(StatusCodes.Status404NotFound, "No such room.");
    }

    private static IResult Answer(DemoMessage? saved, DemoQuantum quantum, TimeProvider time)
    {
        if (saved is null)
        {
            return Refuse(StatusCodes.Status403Forbidden, "You are not a member of this room.");
        }

        var culture = CultureInfo.InvariantCulture;
        var date = saved.Timestamp.Date == time.GetUtcNow().Date ? "Today" : saved.Timestamp.ToString("MMM d, yyyy", culture);
        return Results.Json(
            new SaveAnswer(
                Success: true,
                new SavedMessage(saved.Id, saved.Timestamp, saved.Body, saved.FromUserId, Read: false),
                IdsOf(quantum.Members(saved.RoomId)!),
                date,
                saved.Timestamp.ToString("hh:mm tt", culture)),
            DemoJson.Default.SaveAnswer);
    }

    private static List<long> IdsOf(IReadOnlyList<DemoUser> users) => [.. users.Select(user => user.Id)];

    /// <summary>The user of a Django REST framework token: <c>Authorization: Token …</c>.</summary>
    private static DemoUser? Caller(HttpRequest request, DemoQuantum quantum)
    {
        const string Scheme = "Token ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
            ? quantum.UserOfTokenKey(header[Scheme.Length..].Trim())
            : null;
    }

    private static bool TryGetId(string? text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id > 0;

    private static IResult Refuse(int status, string message) =>
        Results.Json(new Refusal(Success: false, message), DemoJson.Default.Refusal, statusCode: status);

    private sealed record SaveRequest(DemoUser User, long RoomId, string Identifier, IFormCollection Form);
}
