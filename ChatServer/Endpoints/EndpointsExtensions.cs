using ChatServer.Connections;
using Microsoft.AspNetCore.Connections;

namespace ChatServer.Endpoints;

/// <summary>Adds and maps the endpoint of the chat, and adds the certificate.</summary>
internal static class EndpointsExtensions
{
    public static IServiceCollection AddEndpoints(this IServiceCollection services, EndpointOptions options) =>
        services.AddSingleton(options).AddSingleton<ChatEndpoint>().AddSingleton<DirectUpgrade>()
            .AddSingleton<CertificateWatch>().AddHostedService(provider => provider.GetRequiredService<CertificateWatch>())
            .AddSingleton(provider => new SocketLimit(OpenFiles.MaxSockets(), provider.GetRequiredService<ILogger<SocketLimit>>()))
            .AddSingleton<IConnectionListenerFactory, LimitedListeners>();

    public static void MapChat(this IEndpointRouteBuilder app) =>
        app.Map(ChatEndpoint.Path, app.ServiceProvider.GetRequiredService<ChatEndpoint>().ServeAsync);
}
