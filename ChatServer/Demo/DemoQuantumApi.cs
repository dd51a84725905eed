using System.Globalization;

namespace ChatServer.Demo;

/// <summary>Quantum's REST API (contract, part 3) over <see cref="DemoQuantum"/>: the chat service calls it as it would call the real one.</summary>
internal static class DemoQuantumApi
{
    private const int MaxIdentifierLength = 128;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var chat = endpoints.MapGroup(DemoQuantum.BasePath + "/chat");
        chat.MapPost("/save_message_to_db/", SaveMessageAsync);
        chat.MapGet("/rooms/{roomId:long}/members/", Members);
    }

    private static async Task<IResult> SaveMessageAsync(
        HttpRequest request, DemoQuantum quantum, TimeProvider time, CancellationToken cancellation)
    {
        if (Caller(request, quantum) is not { } caller)
        {
            return Refuse(StatusCodes.Status401Unauthorized, "Invalid token.");
        }

        if (!request.HasFormContentType)
        {
            return Refuse(StatusCodes.Status400BadRequest, "Send a form.");
        }

        var form = await request.ReadFormAsync(cancellation);
        var identifier = form["identifier"].ToString();
        var body = form["message_content"].ToString();
        if (!TryGetId(form["room_id"], out var roomId) || identifier.Length is 0 or > MaxIdentifierLength || body.Length == 0)
        {
            return Refuse(StatusCodes.Status400BadRequest, "room_id, identifier and message_content are needed.");
        }

        if (!TryGetId(form["user_id"], out var userId) || userId != caller.Id
            || !TryGetId(form["company_id"], out var companyId) || companyId != DemoCompany.Only.Id)
        {
            return Refuse(StatusCodes.Status403Forbidden, "User or Company id is not correct");
        }

        if (body.Length > DemoQuantum.MaxBodyLength)
        {
            return Refuse(StatusCodes.Status200OK, $"A message has at most {DemoQuantum.MaxBodyLength:N0} characters.");
        }

        return quantum.Save(roomId, userId, identifier, body) is { } saved
            ? Results.Json(Answer(saved, quantum.Members(roomId)!, time.GetUtcNow()), DemoJson.Default.SaveAnswer)
            : Refuse(StatusCodes.Status403Forbidden, "You are not a member of this room.");
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

    private static SaveAnswer Answer(DemoMessage saved, IReadOnlyList<DemoUser> members, DateTimeOffset now)
    {
        var culture = CultureInfo.InvariantCulture;
        var date = saved.Timestamp.Date == now.Date ? "Today" : saved.Timestamp.ToString("MMM d, yyyy", culture);
        return new SaveAnswer(
            Success: true,
            new SavedMessage(saved.Id, saved.Timestamp, saved.Body, saved.FromUserId, Read: false),
            IdsOf(members),
            date,
            saved.Timestamp.ToString("hh:mm tt", culture));
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
}
