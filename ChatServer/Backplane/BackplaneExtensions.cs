namespace ChatServer.Backplane;

/// <summary>Adds the way of messages between nodes. What it needs to know of rooms, <see cref="LogLimits"/>, comes from the host.</summary>
internal static class BackplaneExtensions
{
    public static IServiceCollection AddRedisBackplane(this IServiceCollection services) =>
        services.AddSingleton<IBackplane, RedisBackplane>();
}
