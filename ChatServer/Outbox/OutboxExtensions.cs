namespace ChatServer.Outbox;

/// <summary>Adds what saves accepted messages in Quantum. The outbox itself is in Redis, or in memory in the embedded default.</summary>
internal static class OutboxExtensions
{
    public static IServiceCollection AddOutbox(this IServiceCollection services, OutboxOptions options) =>
        services.AddSingleton(options).AddSingleton<SavedNotices>().AddSingleton<SenderTokens>().AddSingleton<Saver>()
            .AddSingleton<BulkSaves>().AddSingleton<ReadAhead>()
            .AddSingleton(provider => new SaveConcurrency(
                options.MaxConcurrentSaves, provider.GetRequiredService<BulkSaves>(), provider.GetRequiredService<TimeProvider>()))
            .AddHostedService<LaneLeases>().AddHostedService<FileRetentionRenewer>();

    public static IServiceCollection AddRedisOutbox(this IServiceCollection services) =>
        services.AddSingleton<FormerOutbox>().AddSingleton<IOutbox, RedisOutbox>();
}
