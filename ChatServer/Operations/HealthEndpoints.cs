using ChatServer.Redis;
using ChatServer.Redis.Subscriptions;

namespace ChatServer.Operations;

/// <summary><c>/healthz</c>: the process answers. <c>/readyz</c>: it can do its work; load balancers send it clients only then.</summary>
internal static class HealthEndpoints
{
    /// <summary>Some probes ask with HEAD: they get the status alone.</summary>
    public static IReadOnlyList<string> Methods { get; } = [HttpMethods.Get, HttpMethods.Head];

    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapMethods("/healthz", Methods, () => Results.Text("alive"));
        app.MapMethods("/readyz", Methods, async (IServiceProvider services, IHostApplicationLifetime lifetime) =>
            lifetime.ApplicationStopping.IsCancellationRequested ? NotReady("stopping")
            : services.GetService<RedisConnection>() is { } redis && !await redis.IsReachableAsync() ? NotReady("Redis is out of reach")
            : services.GetService<RedisKeys>() is { AreKnown: false } ? NotReady("Redis was not asked yet how rooms are laid out")
            : services.GetService<RedisSubscriptions>() is { AreInForce: false } ? NotReady("subscriptions are not in force")
            : Results.Text($"ready{await BacklogAsync(services.GetRequiredService<BacklogGauge>())}"));
    }

    /// <summary>A node is ready while Quantum is out of reach: people can chat, and their messages wait to be saved.</summary>
    private static async Task<string> BacklogAsync(BacklogGauge backlog)
    {
        try
        {
            var size = await backlog.ReadAsync();
            var waiting = size.Waiting > 0 ? $"; {size.Waiting} messages wait for Quantum" : "";
            return size.Dead > 0 ? $"{waiting}; {size.Dead} dead letters" : waiting;
        }
        catch (RedisUnavailableException)
        {
            return "";
        }
    }

    private static IResult NotReady(string why) => Results.Text($"not ready: {why}", statusCode: StatusCodes.Status503ServiceUnavailable);
}
