using System.Text.Json;
using Microsoft.AspNetCore.Mvc;

namespace ChatServer.Embedded.Demo;

/// <summary>What the demo page asks besides the chat itself: signing in, who is in a room, and what was said before.</summary>
internal static class DemoPageApi
{
    public const int MaxNameLength = 40;
    public const int HistoryLength = 100;
    private const int MaxRequestBytes = 4096;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var demo = endpoints.MapGroup("/demo").AddEndpointFilter(static (context, next) =>
        {
            context.HttpContext.Response.Headers.CacheControl = "no-store";
            return next(context);
        });
        demo.MapGet("/users", static (DemoQuantum quantum) =>
            Results.Json(new UsersAnswer(quantum.ReadyUsers), DemoJson.Default.UsersAnswer));
        demo.MapPost("/login", LoginAsync).WithMetadata(new RequestSizeLimitAttribute(MaxRequestBytes));
        demo.MapPost("/logout", Logout);
        demo.MapGet("/rooms/{roomId:long}/members", Members);
        demo.MapGet("/rooms/{roomId:long}/messages", Messages);
    }

    private static async Task<IResult> LoginAsync(HttpRequest request, DemoLogins logins, CancellationToken cancellation)
    {
        string name;
        try
        {
            var login = await JsonSerializer.DeserializeAsync(request.Body, DemoJson.Default.LoginRequest, cancellation);
            name = login?.Name?.Trim() ?? "";
        }
        catch (JsonException)
        {
            return Refuse(StatusCodes.Status400BadRequest, "Send {\"name\":\"…\"}.");
        }

        if (name.Length is 0 or > MaxNameLength || name.Any(char.IsControl))
        {
            return Refuse(StatusCodes.Status400BadRequest, $"A name has 1 to {MaxNameLength} characters.");
        }

        return logins.Enter(name) is { } answer
            ? Results.Json(answer, DemoJson.Default.LoginAnswer)
            : Refuse(StatusCodes.Status503ServiceUnavailable, "The demo has no place for another name. Take one of the others.");
    }

    private static IResult Logout(HttpRequest request, DemoLogins logins)
    {
        logins.Leave(TokenOf(request));
        return Results.NoContent();
    }

    private static IResult Members(long roomId, HttpRequest request, DemoLogins logins, DemoQuantum quantum) =>
        WhyNot(roomId, request, logins, quantum)
        ?? Results.Json(new MembersAnswer(quantum.Members(roomId)!), DemoJson.Default.MembersAnswer);

    private static IResult Messages(long roomId, HttpRequest request, DemoLogins logins, DemoQuantum quantum) =>
        WhyNot(roomId, request, logins, quantum)
        ?? Results.Json(new MessagesAnswer(quantum.Newest(roomId, HistoryLength)!), DemoJson.Default.MessagesAnswer);

    /// <returns>The refusal; null for a member of the room.</returns>
    private static IResult? WhyNot(long roomId, HttpRequest request, DemoLogins logins, DemoQuantum quantum)
    {
        if (logins.UserOf(TokenOf(request)) is not { } user)
        {
            return Refuse(StatusCodes.Status401Unauthorized, "Sign in first.");
        }

        return quantum.Members(roomId)?.Contains(user) == true
            ? null
            : Refuse(StatusCodes.Status403Forbidden, "You are not a member of this room.");
    }

    private static string TokenOf(HttpRequest request)
    {
        const string Scheme = "Bearer ";
        var header = request.Headers.Authorization.ToString();
        return header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : "";
    }

    private static IResult Refuse(int status, string message) =>
        Results.Json(new Refusal(Success: false, message), DemoJson.Default.Refusal, statusCode: status);
}
