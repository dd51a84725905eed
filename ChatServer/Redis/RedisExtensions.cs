namespace ChatServer.Redis;

/// <summary>Adds the node's connection to Redis for commands.</summary>
internal static class RedisExtensions
{
    public static IServiceCollection AddRedis(this IServiceCollection services, RedisOptions options) =>
        services.AddSingleton(options)
            .AddSingleton(provider => RedisConnection.Open(options, provider.GetRequiredService<ILogger<RedisConnection>>()))
            .AddSingleton(provider => provider.GetRequiredService<RedisConnection>().Multiplexer)
            .AddSingleton(_ => new RedisKeys(database: options.Database));

    /// <summary>Adds what tells over how many partitions the rooms in Redis are spread.</summary>
    public static IServiceCollection AddPartitionLayout(this IServiceCollection services) =>
        services.AddSingleton<PartitionLayout>()
            .AddSingleton<PartitionLayoutWatch>().AddHostedService(provider => provider.GetRequiredService<PartitionLayoutWatch>());
}
