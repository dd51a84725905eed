using ChatServer.Redis;

namespace ChatServer.Operate;

/// <summary><c>/healthz</c>: the process answers. <c>/readyz</c>: it can do its work; load balancers send it clients only then.</summary>
internal static class HealthEndpoints
{
    public static void MapHealth(this IEndpointRouteBuilder app)
    {
        app.MapGet("/healthz", () => Results.Text("alive"));
        app.MapGet("/readyz", async (IServiceProvider services, IHostApplicationLifetime lifetime) =>
            lifetime.ApplicationStopping.IsCancellationRequested ? NotReady("stopping")
            : services.GetService<RedisConnection>() is { } redis && !await redis.IsReachableAsync() ? NotReady("Redis is out of reach")
            : Results.Text("ready"));
    }

    private static IResult NotReady(string why) => Results.Text($"not ready: {why}", statusCode: StatusCodes.Status503ServiceUnavailable);
}
