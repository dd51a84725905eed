namespace ChatServer.Operations;

/// <summary>Adds what operators see of a node that stops; health and metrics are mapped by the host.</summary>
internal static class OperationsExtensions
{
    public static IServiceCollection AddOperations(this IServiceCollection services) => services.AddHostedService<ShutdownNotifier>();
}
