namespace ChatServer.Files;

/// <summary>What the room of files is made of; the store and the quota come with the backend.</summary>
internal static class FilesExtensions
{
    public static IServiceCollection AddFiles(this IServiceCollection services, FilesOptions options) =>
        services.AddSingleton(options).AddSingleton<UploadBuffers>().AddSingleton<DownloadEndpoint>()
            .AddSingleton<UploadWatch>().AddHostedService(provider => provider.GetRequiredService<UploadWatch>());

    public static IServiceCollection AddFilesInRedis(this IServiceCollection services) =>
        services.AddSingleton<FileLink>().AddSingleton<IFileStore, RedisFileStore>().AddSingleton<IUploadQuota, RedisUploadQuota>();

    public static IServiceCollection AddFilesInMemory(this IServiceCollection services) =>
        services.AddSingleton<IFileStore, MemoryFileStore>().AddSingleton<IUploadQuota, MemoryUploadQuota>();

    public static void MapFiles(this IEndpointRouteBuilder app) => app.ServiceProvider.GetRequiredService<DownloadEndpoint>().Map(app);
}
