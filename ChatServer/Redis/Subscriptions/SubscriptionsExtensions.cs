namespace ChatServer.Redis.Subscriptions;

/// <summary>Adds the subscriptions to channels of Redis.</summary>
internal static class SubscriptionsExtensions
{
    public static IServiceCollection AddRedisSubscriptions(this IServiceCollection services) =>
        services.AddSingleton<RedisSubscriptions>().AddHostedService(provider => provider.GetRequiredService<RedisSubscriptions>())
            .AddSingleton<KeyspaceEvents>().AddHostedService(provider => provider.GetRequiredService<KeyspaceEvents>());
}
