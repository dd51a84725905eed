namespace ChatServer.Requests;

/// <summary>Adds the receiving side of connections.</summary>
internal static class RequestsExtensions
{
    public static IServiceCollection AddRequests(this IServiceCollection services, RequestOptions options) =>
        services.AddSingleton(options).AddSingleton<ConnectionLoop>().AddSingleton<Admission>().AddSingleton<ClientRequests>()
            .AddSingleton<MessageRequests>().AddSingleton<RoomRequests>().AddSingleton<FileRequests>();
}
