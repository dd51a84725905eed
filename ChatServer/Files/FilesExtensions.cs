namespace ChatServer.Files;

/// <summary>Adds uploads and downloads. The store and the quota are in Redis, or in memory in the embedded default.</summary>
internal static class FilesExtensions
{
    public static IServiceCollection AddFiles(this IServiceCollection services, FilesOptions options) =>
        services.AddSingleton(options).AddSingleton<UploadBuffers>().AddSingleton<DownloadEndpoint>()
            .AddSingleton<UploadWatch>().AddHostedService(provider => provider.GetRequiredService<UploadWatch>());

    public static IServiceCollection AddRedisFiles(this IServiceCollection services) =>
        services.AddSingleton<FileConnection>().AddSingleton<IFileStore, RedisFileStore>().AddSingleton<IUploadQuota, RedisUploadQuota>();

    public static void MapFiles(this IEndpointRouteBuilder app) => app.ServiceProvider.GetRequiredService<DownloadEndpoint>().Map(app);
}
