namespace ChatServer.Requests;

/// <summary>Adds what handles the frames of clients.</summary>
internal static class RequestsExtensions
{
    public static IServiceCollection AddRequests(this IServiceCollection services, RequestOptions options) =>
        services.AddSingleton(options).AddSingleton<ConnectionLoop>().AddSingleton<Admission>().AddSingleton<ClientRequests>()
            .AddSingleton<MessageRequests>().AddSingleton<RoomRequests>().AddSingleton<FileRequests>();
}
