using System.Globalization;
using System.Text.Json;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Bench.Peers;

/// <summary>Stands in for Quantum: saves a message, or many in one call, in some milliseconds by doing nothing, and counts.</summary>
internal static class QuantumStandIn
{
    public const string Verb = "quantum";
    public const string CountPath = "/count";
    public const string Delay = "--delay-ms";

    /// <summary>What a call to save takes unless told otherwise, in milliseconds.</summary>
    public const int StandardDelay = 5;

    private const string ManyPath = "/chat/save_messages_to_db/";

    private static long _saved;

    public static async Task<int> RunAsync(PeerOptions options)
    {
        var delay = TimeSpan.FromMilliseconds(options.Int(Delay, StandardDelay));
        var app = options.CreateBuilder().Build();
        app.Run(context => context.Request.Path.Value switch
        {
            CountPath => context.Response.WriteAsync(Volatile.Read(ref _saved).ToString(CultureInfo.InvariantCulture)),
            ManyPath => SaveManyAsync(context, delay),
            _ => SaveAsync(context, delay),
        });
        await Lifeline.RunAsync(app);
        return 0;
    }

    private static async Task SaveAsync(HttpContext context, TimeSpan delay)
    {
        var form = await context.Request.ReadFormAsync();
        await Task.Delay(delay);
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync(Saved(form["message_content"].ToString(), form["user_id"].ToString()));
    }

    private static async Task SaveManyAsync(HttpContext context, TimeSpan delay)
    {
        using var sent = await JsonDocument.ParseAsync(context.Request.Body);
        await Task.Delay(delay);
        var results = sent.RootElement.GetProperty("messages").EnumerateArray().Select(message =>
            Saved(message.GetProperty("message_content").GetString()!, message.GetProperty("user_id").GetRawText()));
        context.Response.ContentType = "application/json";
        await context.Response.WriteAsync($$"""{"success":true,"results":[{{string.Join(',', results)}}]}""");
    }

    /// <summary>Makes the row and the answer. Bodies and users of this program need no escape.</summary>
    private static string Saved(string body, string user) =>
        $$"""{"success":true,"message":{"id":{{Interlocked.Increment(ref _saved)}},"timestamp":"2026-01-01T10:02:00.000Z","body":"{{body}}","from_user_id":{{user}},"read":false},"message_date":"Today","message_time":"10:02 AM"}""";
}
