using System.Globalization;
using ChatServer.Bench.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace ChatServer.Bench.Peers;

/// <summary>Stands in for Quantum: saves a message in some milliseconds by doing nothing, and counts.</summary>
internal static class QuantumStandIn
{
    public const string Verb = "quantum";
    public const string CountPath = "/count";
    public const string Delay = "--delay-ms";

    /// <summary>What a save takes unless told otherwise, in milliseconds.</summary>
    public const int StandardDelay = 5;

    private static long _saved;

    public static async Task<int> RunAsync(PeerOptions options)
    {
        var delay = TimeSpan.FromMilliseconds(options.Int(Delay, StandardDelay));
        var app = options.CreateBuilder().Build();
        app.Run(context => context.Request.Path == CountPath
            ? context.Response.WriteAsync(Volatile.Read(ref _saved).ToString(CultureInfo.InvariantCulture))
            : SaveAsync(context, delay));
        await Lifeline.RunAsync(app);
        return 0;
    }

    private static async Task SaveAsync(HttpContext context, TimeSpan delay)
    {
        var form = await context.Request.ReadFormAsync();
        await Task.Delay(delay);
        var id = Interlocked.Increment(ref _saved);
        context.Response.ContentType = "application/json";

        // Bodies and users of this program need no escape.
        await context.Response.WriteAsync(
            $$"""{"success":true,"message":{"id":{{id}},"timestamp":"2026-01-01T10:02:00.000Z","body":"{{form["message_content"]}}","from_user_id":{{form["user_id"]}},"read":false},"message_date":"Today","message_time":"10:02 AM"}""");
    }
}
