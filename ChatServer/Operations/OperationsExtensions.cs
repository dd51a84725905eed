namespace ChatServer.Operations;

/// <summary>Adds the drain of connections at a stop; health and metrics are mapped by the host.</summary>
internal static class OperationsExtensions
{
    public static IServiceCollection AddOperations(this IServiceCollection services, OperationsOptions options) =>
        services.AddSingleton(options).AddSingleton<BacklogGauge>()
            .AddSingleton<Drain>().AddHostedService(provider => provider.GetRequiredService<Drain>())
            .Configure<HostOptions>(host => host.ShutdownTimeout = options.Drain + OperationsOptions.StopWithin);
}
