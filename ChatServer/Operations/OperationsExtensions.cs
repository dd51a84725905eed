namespace ChatServer.Operations;

/// <summary>Adds the shutdown notice to clients; health and metrics are mapped by the host.</summary>
internal static class OperationsExtensions
{
    public static IServiceCollection AddOperations(this IServiceCollection services) =>
        services.AddSingleton<BacklogGauge>().AddHostedService<ShutdownNotifier>();
}
