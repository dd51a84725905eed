namespace ChatServer.Connections;

/// <summary>Adds the registry of connections and their timeouts.</summary>
internal static class ConnectionsExtensions
{
    public static IServiceCollection AddConnections(this IServiceCollection services, ConnectionOptions options) =>
        services.AddSingleton(options).AddSingleton<ConnectionRegistry>().AddHostedService<ConnectionTimeouts>();
}
