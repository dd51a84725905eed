namespace ChatServer.Backplane;

/// <summary>Adds the backplane over Redis. Its limits of rooms, <see cref="LogLimits"/>, come from the host.</summary>
internal static class BackplaneExtensions
{
    public static IServiceCollection AddRedisBackplane(this IServiceCollection services) =>
        services.AddSingleton<IBackplane, RedisBackplane>();
}
